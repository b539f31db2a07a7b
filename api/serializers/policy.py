"""The policy of disclosure as JSON values, and what it withholds in words."""

from __future__ import annotations

from collections.abc import Mapping

from api.http.json import Json
from api.wording.catalogue import ENGLISH, formatted, phrase
from layers.disclosure.policy import Policy, Rounding
from layers.snapshot.disclosure import Disclosure

#: Members of a policy that are lists of rules.
RULES = ("embargo", "rounding", "withhold")


def policy_document(disclosure: Disclosure, language: str = ENGLISH) -> Json:
    """Give the policy, rule by rule, and how many records each reason withholds now."""
    return {
        **policy_values(disclosure.policy),
        "withheld": withheld(disclosure),
        "summary": summary(disclosure, language),
    }


def policy_values(policy: Policy) -> Json:
    """Give the policy, rule by rule."""
    rules = {
        name: [rule.model_dump(mode="json", exclude_none=True) for rule in getattr(policy, name)] for name in RULES
    }
    return {"contact": policy.contact, "statement": policy.statement, "authors": policy.authors, **rules}


def withheld(disclosure: Disclosure) -> Json:
    """Give the number of records by reason and table; a reason that withholds nothing is left out."""
    return {reason: dict(counts) for reason, counts in disclosure.withheld.items()}


def summary(disclosure: Disclosure, language: str = ENGLISH) -> list[str]:
    """Say in words what is withheld, a sentence a reason; empty where nothing is."""
    grid = grid_in_words(disclosure.policy, language)
    return [_sentence(reason, counts, grid, language) for reason, counts in disclosure.withheld.items()]


def _sentence(reason: str, counts: Mapping[str, int], grid: str, language: str) -> str:
    records = [phrase("policy.records", language, n=number, table=table) for table, number in counts.items()]
    return phrase(f"policy.{reason}", language, records=records, grid=grid)


def grid_in_words(policy: Policy, language: str = ENGLISH) -> str:
    """Say to what places are rounded, the finest first; empty where no rule rounds any."""
    steps = [_step(rule, language) for rule in sorted(policy.rounding, key=lambda rule: rule.step_m)]
    return phrase("policy.grid", language, steps=[*dict.fromkeys(steps)]) if steps else ""


def _step(rule: Rounding, language: str) -> str:
    if rule.metres is None:
        return phrase("policy.degrees", language, n=formatted(10.0 ** -(rule.decimals or 0), "g", language))
    unit, metres = ("km", 1000) if rule.metres >= 1000 else ("m", 1)
    return f"{formatted(rule.metres / metres, 'g', language)}\u00a0{phrase(f'print.unit.{unit}', language)}"


def attribution_text(attribution: str, disclosure: Disclosure, language: str = ENGLISH) -> str:
    """Give the attribution of the data with what is withheld of it, so that whoever shows it says so too."""
    return ". ".join((attribution, *summary(disclosure, language)))
