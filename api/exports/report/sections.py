"""What the report says of one strike: when and where, whose it was, the chains, control, and who was no owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from api.exports.report.chain_tree import layered
from api.exports.text.formatting import spoken_date
from api.exports.text.translations import NO_BREAK, say, share, word
from layers.ownership.walk import REACHES

Json = dict[str, Any]
Told = Mapping[str, Any]
Names = Mapping[str, str]


class Sources:
    """The sources of answers, numbered in the order in which they are first cited."""

    def __init__(self, answers: Sequence[Told]) -> None:
        self._known = {name: source for answer in answers for name, source in answer["sources"].items()}
        self._number: dict[str, int] = {}

    def cite(self, name: str) -> int:
        """Number of a source."""
        return self._number.setdefault(name, len(self._number) + 1)

    def listed(self) -> list[Json]:
        """Those cited, in order."""
        return [_source(self._known[name]) for name in self._number]


def _source(source: Told) -> Json:
    words = [source["publisher"], source["title"], spoken_date(source["published"]) if source["published"] else None]
    return {"words": ", ".join(word for word in words if word), "url": source["url"] or source["archive_url"] or ""}


def spoken_day(day: date) -> str:
    """A day in words."""
    return spoken_date(day.isoformat())


def section(number: int, told: Told, sources: Sources, countries: Names) -> Json:
    """All that is said of one strike; ``countries`` gives names by code."""
    strike = told["strike"]
    names = {hit["asset"]["id"]: hit["asset"]["name"] for hit in told["assets"]}
    several = told["rests_on"] == "alternatives" and len(told["assets"]) > 1
    return {
        "title": f"{number}. {strike['title']}",
        "facts": _facts(told, sources),
        "rests": word("rests", told["rests_on"]),
        "owners": [_owner(row, countries) for row in told["owners"]],
        "several": say("oneOfThese") if several else "",
        "assets": [_asset(hit, sources, countries) for hit in told["assets"]],
        "others": [_tie(row, names, sources, countries) for row in told["related"]],
    }


def _facts(told: Told, sources: Sources) -> list[list[str]]:
    strike, host = told["strike"], told["host"]
    when = spoken_date(strike["when"]) + (f" ({strike['when_note']})" if strike["when_note"] else "")
    place = ", ".join(part for part in (strike["place"], strike["region"]) if part)
    basis = word("basis", strike["basis"]) if strike["basis"] else ""
    sure = say("within", basis=basis, radius=_length(strike["uncertainty_m"])) if basis else say("noPlace")
    cited = " ".join(f"[{sources.cite(name)}]" for name in strike["sources"])
    return [
        [say("when"), when],
        [say("where"), f"{place} ({sure})"],
        [say("host"), host["name"] if host else say("highSeas")],
        [say("status"), word("status", strike["status"])],
        [say("sources"), cited],
    ]


def _length(metres: float | None) -> str:
    if metres is None:
        return say("unknownLength")
    return f"{metres:g}{NO_BREAK}m" if metres < 1000 else f"{metres / 1000:.3g}{NO_BREAK}km"


def _owner(row: Told, countries: Names) -> Json:
    """One country's part, split by how far it reaches; or the part that no country is known for, and why."""
    code = row["country"]
    if code is None:
        why, bar = "; ".join(row["reasons"]), [["nobody", row["share_min"]]]
    else:
        reached = [(reach, *row[reach]) for reach in REACHES if row[reach][1] > 0]
        why = ", ".join(f"{say(f'{reach}Short')} {share(low, high)}" for reach, low, high in reached)
        bar = [[reach, low] for reach, low, _ in reached]
    known = sum(width for _, width in bar)
    bar += [["split", row["share_min"] - known], ["range", row["share_max"] - max(row["share_min"], known)]]
    return {
        "name": say("unattributed") if code is None else countries.get(code, row["name"]),
        "share": share(row["share_min"], row["share_max"]),
        "why": why,
        "bar": [[kind, width] for kind, width in bar if width > 0],
    }


def _asset(hit: Told, sources: Sources, countries: Names) -> Json:
    verdict = word("verdict", hit["verdict"])
    control = [_span(span, len(hit["control_days"]) > 1, sources, countries) for span in hit["control_days"]]
    return {
        **layered(hit, sources.cite, countries),
        "verdict": verdict[0].upper() + verdict[1:] + ".",
        "differs": say("controlDiffers") if len(control) > 1 else "",
        "control": control,
    }


def _span(span: Told, several: bool, sources: Sources, countries: Names) -> Json:
    """Who controlled on some days; the days are said where there are several spans."""
    days = _days(span["first"], span["last"]) if several else ""
    control = span["control"]
    if control is None:
        return {"days": days, "who": say("controlNobody"), "steps": []}
    country = countries.get(control["country"], control["country"]) if control["country"] else say("countryUnknown")
    where = [] if control["reach"] == "state" else [country]
    who = ", ".join([control["name"], *where, say(f"controlreach{control['reach']}")])
    return {"days": days, "who": who, "steps": [_step(step, sources) for step in control["steps"]]}


def _days(first: date | None, last: date | None) -> str:
    """Days in words; at most one end is open where there are several spans."""
    if first is None or last is None:
        return say("since", date=spoken_day(first)) if first else say("until", date=spoken_day(last)) if last else ""
    return spoken_date(f"{first.isoformat()}/{last.isoformat()}")


def _step(step: Told, sources: Sources) -> str:
    holders = say("and").join(holder["name"] for holder in step["holders"])
    part = share(step["share_min"], step["share_max"])
    held = "controls" if step["share_max"] == 0 else "holdTogether" if len(step["holders"]) > 1 else "holds"
    kinds = ", ".join(word("control", kind) for kind in step["declared"])
    declared = f", {say('declared', kinds=kinds)}" if kinds else ""
    cited = " ".join(f"[{sources.cite(name)}]" for name in step["sources"])
    return f"{holders} {say(held, share=part, owned=step['name'])}{declared} {cited}"


def _tie(row: Told, assets: Names, sources: Sources, countries: Names) -> Json:
    """One that was no owner; where there are several assets, of which of them."""
    code, relation = row["country"], word("relation", row["relation"])
    of = say("relationOf", relation=relation, asset=assets.get(row["asset"], row["asset"]))
    country = countries.get(code, code) if code else ""
    return {
        "relation": of if len(assets) > 1 else relation,
        "who": row["name"] + (f", {country}" if country and country != row["name"] else ""),
        "note": row["note"] or "",
        "proof": f"{word('checked', row['checked'])} [{sources.cite(row['source'])}]",
    }
