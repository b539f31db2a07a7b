"""The section of a page or dossier on a strike: date, place, owners, chains, control and those who were no owners."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.exports.text import NO_BREAK, holder_in_words, page_text, share, word
from api.http.json import Json
from api.wording.catalogue import ENGLISH, catalogue, formatted, phrase
from api.wording.countries import in_language
from api.wording.dates import date_in_words, span_in_words
from api.wording.strikes import sources_in_words, strike_title
from layers.disclosure.ruling import PLACE_FIELDS, is_left_out, is_rounded, left_out
from layers.ownership.walk import REACHES

Answer = Mapping[str, Any]
Names = Mapping[str, str]

#: Deeper holders are listed beside those above them; each says what it holds, so nothing is lost.
MAX_DEPTH = 12
#: Parts of a bar that are narrower than this many percent are not drawn.
_THIN = 0.005


@dataclass
class HolderNode:
    """A holder in the tree of paths that begin alike: its step, its part of the whole asset, and what ends with it."""

    step: Mapping[str, Any] | None
    part: tuple[float, float]
    ends: list[Mapping[str, Any]] = field(default_factory=list)
    children: dict[tuple[Any, ...], HolderNode] = field(default_factory=dict)


def tree_of(chains: Iterable[Mapping[str, Any]]) -> HolderNode:
    """Merge paths that begin alike; holders come in the order of their largest path."""
    root = HolderNode(None, (100.0, 100.0))
    for chain in chains:
        node = root
        for step in chain["steps"]:
            key = tuple(step[name] for name in ("owner", "share_min", "share_max", "since"))
            low, high = (
                part * step[end] / 100 for part, end in zip(node.part, ("share_min", "share_max"), strict=True)
            )
            node = node.children.setdefault(key, HolderNode(step, (low, high)))
        if node is not root:
            node.ends.append(chain)
    return root


class CitedSources:
    """The sources of answers, numbered in the order in which they are first cited."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._known: dict[str, Json] = {}
        self._number: dict[str, int] = {}
        for answer in answers:
            self.add(answer)

    def add(self, answer: Answer) -> None:
        """Learn of the sources of one more answer."""
        self._known.update(answer["sources"])

    def cite(self, name: str) -> int:
        """Return the number of a source; its first citation gives it one."""
        return self._number.setdefault(name, len(self._number) + 1)

    @property
    def numbers(self) -> Mapping[str, int]:
        """The number of each source that was cited, in the order of the numbers."""
        return self._number

    def cited(self) -> list[Json]:
        """List the cited sources in the order of their numbers."""
        return [self._known[name] for name in self._number]


@dataclass(frozen=True)
class SectionWriter:
    """Writes what pages and dossiers say of strikes and of the sites that they hit.

    Parameters
    ----------
    sources
        Gives each source that is cited its number.
    countries
        Names of countries by code; a code without a name is said itself.
    """

    sources: CitedSources
    countries: Names
    language: str = ENGLISH

    def section(self, number: int, answer: Answer) -> Json:
        """Write the section on a strike."""
        strike, assets, sites = answer["strike"], answer["assets"], answer["readings"]["sites_together"]
        names = {hit["asset"]["id"]: in_language(hit["asset"], "name", self.language) for hit in assets}
        several = answer["rests_on"] == "alternatives" and len(assets) > 1
        sure = sum(hit["verdict"] == "confirmed" for hit in assets)
        together = self.text("allOfThese", count=sure) if sure > 1 else ""
        title = strike_title(in_language(strike, "title", self.language), strike["status"], self.language)
        return {
            "title": f"{number}. {title}",
            "facts": self._facts(answer),
            "headline": answer["headline_parts"],
            "rests": rests_in_words(answer["rests_on"], len(assets), self.language),
            "owners": [self._owner(row, sites) for row in answer["owners"]],
            "several": self.text("oneOfThese") if several else together,
            "assets": [self._asset(hit, strike["when"]) for hit in assets],
            "others": [self._tie(row, names) for row in answer["related"]],
        }

    def chain(self, hit: Answer) -> Json:
        """Write the chain of a struck asset: holders in layers, and the rest of the sum.

        ``hit``: an asset of an answer, with its chains, rest and warnings.
        """
        name, rest = in_language(hit["asset"], "name", self.language), hit["rest"]
        title, holders = self.text("chain", asset=name), list(self._holders(tree_of(hit["chains"]), name, 1))
        if not holders:
            return {"title": title, "holders": [], "notes": [self.text("noChain")]}
        left = self._share(rest["share_min"], rest["share_max"])
        notes = [self.text("rest", share=left)] if rest["share_max"] > 0 else []
        warnings = [self.text("warning", text=text) for text in hit["warnings"]]
        return {"title": title, "holders": holders, "notes": [*notes, *warnings]}

    def say(self, code: str, /, **gaps: object) -> str:
        """Word a code of dossiers."""
        return phrase(f"dossier.{code}", self.language, **gaps)

    def text(self, name: str, /, **gaps: object) -> str:
        """Return a text of the page, see `page_text`."""
        return page_text(name, self.language, **gaps)

    def _word(self, prefix: str, value: str) -> str:
        return word(prefix, value, self.language)

    def date(self, text: str | None) -> str:
        """Word an EDTF date, see `date_in_words`."""
        return date_in_words(text, self.language)

    def _share(self, low: float, high: float, sites: int = 1) -> str:
        return share(low, high, sites, self.language)

    def _country(self, code: str | None) -> str:
        return self.text("unattributed") if code is None else self.countries.get(code, code)

    def _cited(self, *sources: str) -> str:
        return " ".join(f"[{self.sources.cite(name)}]" for name in sources)

    # --- the chain ----------------------------------------------------------------------------------------------------

    def _holders(self, owned_node: HolderNode, owned: str, level: int) -> Iterator[Json]:
        """Yield the holders below a node, each with the holders of its own."""
        for node in owned_node.children.values():
            assert node.step is not None  # only the root has none
            inner = self._holders(node, node.step["name"], level + 1)
            row = self._holder(node, node.step, owned)
            if level < MAX_DEPTH:
                yield row | {"children": list(inner)}
            else:
                yield row | {"children": []}
                yield from inner

    def _holder(self, node: HolderNode, step: Answer, owned: str) -> Json:
        country, since, until = step["country"] if step["type"] != "state" else None, step["since"], step["until"]
        days = ("sinceUntil" if until else "sinceOnly") if since else "untilOnly"
        return {
            "name": step["name"],
            "where": self._country(country) if country else "",
            "part": self._share(*node.part),
            "bar": _bar(node),
            "held": self.text("holds", share=self._share(step["share_min"], step["share_max"]), owned=owned),
            "dates": self.text(days, since=self.date(since), until=self.date(until)) if since or until else "",
            "checked": checked_words("checkedShare", step["checked"], self.language),
            "source": self.sources.cite(step["source"]),
            "note": step["note"] or "",
            "ends": [self._end(chain) for chain in node.ends],
        }

    def _end(self, chain: Answer) -> str:
        """Where a share ends; one that stays with a company further down is said to count with that company."""
        stays, top = chain["stays_with"], chain["steps"][-1]["owner"]
        below = stays["name"] if stays and stays["entity"] != top else None
        codes = ("countsWith", "countsWithNobody") if below else ("counts", "countsToNobody")
        why = chain["reason"] or self.text(f"reach{chain['reach']}")
        part = self._share(chain["share_min"], chain["share_max"])
        named = {"country": self._country(chain["country"]), "name": below}
        return self.text(codes[0] if chain["country"] else codes[1], share=part, why=why, **named)

    # --- the strike ---------------------------------------------------------------------------------------------------

    def _facts(self, answer: Answer) -> list[list[str]]:
        strike, host = answer["strike"], answer["host"]
        note = f" ({_day_part(strike['when_note'], self.language)})" if strike["when_note"] else ""
        # A city that is a region of its own is named once.
        named = dict.fromkeys(in_language(strike, name, self.language) for name in ("place", "region"))
        country = self.countries.get(host["country"], host["name"]) if host else ""
        known = answer["host_basis"] or ("withheld" if is_left_out(strike, "geometry") else "unknown")
        voices = sources_in_words(strike["n_sources"], strike["n_voices"], self.language)
        facts = {
            "when": self.date(strike["when"]) + note,
            "where": f"{', '.join(filter(None, named))} ({place_in_words(strike, self.language)})",
            "host": self.text(f"host{known}", country=country),
            "status": self._word("status", strike["status"]),
            "sources": f"{self._cited(*strike['sources'])} ({voices})",
        }
        return [[self.text(name), said] for name, said in facts.items()]

    def _owner(self, row: Answer, sites: int) -> Json:
        """Describe a country's share, split by where its chains end; or the unattributed share with its reasons."""
        code = row["country"]
        if code is None:
            why, bar = "; ".join(row["reasons"]), [["nobody", row["share_min"]]]
        else:
            reached = [(reach, *row[reach]) for reach in REACHES if row[reach][1] > 0]
            why = ", ".join(
                f"{self.text(f'{reach}Short')} {self._share(low, high, sites)}" for reach, low, high in reached
            )
            bar = [[reach, low] for reach, low, _ in reached]
        known = sum(width for _, width in bar)
        bar += [["split", row["share_min"] - known], ["range", row["share_max"] - max(row["share_min"], known)]]
        return {
            "name": self.text("unattributed") if code is None else self.countries.get(code, row["name"]),
            "share": self._share(row["share_min"], row["share_max"], sites),
            "why": why,
            "bar": [[kind, width] for kind, width in bar if width > 0],
        }

    def _asset(self, hit: Answer, when: str) -> Json:
        verdict = self._word("verdict", hit["verdict"])
        several = len(hit["control_days"]) > 1
        control = [self._control(span, when, several) for span in hit["control_days"]]
        capacity = capacity_in_words(hit["asset"], self.language)
        return {
            **self.chain(hit),
            "verdict": verdict[0].upper() + verdict[1:] + ".",
            "capacity": self.text("capacityOf", amount=capacity) if capacity else "",
            "conditions": [self._condition(row) for row in hit["conditions"]],
            "differs": self.text("controlDiffers") if len(control) > 1 else "",
            "control": control,
        }

    def _condition(self, row: Answer) -> str:
        """Describe how far an asset worked over some days, with its source."""
        until = self.date(row["until"]) if row["until"] else self.text("endNotKnown")
        days = self.text("sinceUntil", since=self.date(row["since"]), until=until)
        low, high = row["working_min"], row["working_max"]
        part = "" if low is None else f", {self.text('workedPart', share=self._share(low, high))}"
        note = f" ({row['note']})" if row["note"] else ""
        return f"{days}: {self._word('working', row['status'])}{part}{note} {self._cited(row['source'])}"

    def _control(self, span: Answer, when: str, several: bool) -> Json:
        """Describe who was in control during a span of days; the days are named where there are several spans."""
        days = span_in_words(span["first"], span["last"], when, self.language) if several else ""
        control = span["control"]
        if control is None:
            return {"days": days, "who": self.text("controlNobody"), "steps": []}
        code = control["country"]
        country = self._country(code) if code else self.text("countryUnknown")
        where = [] if control["reach"] == "state" else [country]
        who = ", ".join([control["name"], *where, self.text(f"controlreach{control['reach']}")])
        return {"days": days, "who": who, "steps": [self._step(step) for step in control["steps"]]}

    def _step(self, step: Answer) -> str:
        holders = self.text("and").join(holder["name"] for holder in step["holders"])
        held = "controls" if step["share_max"] == 0 else "holdTogether" if len(step["holders"]) > 1 else "holds"
        said = self.text(held, share=self._share(step["share_min"], step["share_max"]), owned=step["name"])
        kinds = ", ".join(self._word("control", kind) for kind in step["declared"])
        declared = f", {self.text('declared', kinds=kinds)}" if kinds else ""
        return f"{holders} {said}{declared} {self._cited(*step['sources'])}"

    def _tie(self, row: Answer, assets: Names) -> Json:
        """Describe a holder of another relation; with several assets also to which of them."""
        relation = self._word("relation", row["relation"])
        of = self.text("relationOf", relation=relation, asset=assets.get(row["asset"], row["asset"]))
        proof = checked_words("checkedTie", row["checked"], self.language)
        return {
            "relation": of if len(assets) > 1 else relation,
            "who": holder_in_words(row, self.countries),
            "note": row["note"] or "",
            "proof": f"{proof} {self._cited(row['source'])}",
        }


def _bar(node: HolderNode) -> list[list[Any]]:
    """Parts of a bar that is the whole asset: what ends here, what goes on to holders above, and the open range."""
    low, high = node.part
    ended = sum(chain["share_min"] for chain in node.ends)
    kinds = {"unattributed": "nobody"}
    parts = [[kinds.get(chain["reach"], chain["reach"]), chain["share_min"]] for chain in node.ends]
    parts += [["through", low - ended], ["range", high - max(low, ended)]]
    return [[kind, width] for kind, width in parts if width > _THIN]


def checked_words(what: str, how: str, language: str) -> str:
    """Word how one thing was checked, which is named by a text of the page: a share, a tie or a value."""
    return page_text("checkedOf", language, what=page_text(what, language), how=word("checked", how, language))


def rests_in_words(rests_on: str, sites: int, language: str = ENGLISH) -> str:
    """Write what an answer is based on that names so many sites: one possible site is not one of several."""
    if rests_on == "alternatives" and sites == 1:
        return phrase("dossier.rests-perhaps", language)
    return word("rests", rests_on, language)


def place_in_words(record: Answer, language: str, code: str = "within") -> str:
    """Write how exactly the place of a strike or site is given, or that it is withheld, or that none is known."""
    if not record["basis"]:
        return page_text("placeWithheld" if is_left_out(record, "geometry") else "noPlace", language)
    basis = page_text("roundedBy", language) if is_rounded(record) else word("basis", record["basis"], language)
    return page_text(code, language, basis=basis, radius=length(record["uncertainty_m"], language))


def withheld_in_words(record: Answer, language: str) -> str:
    """Name what is withheld of a strike, site or holder, whether or not there is anything; nothing where nothing is."""
    names = (name.removesuffix("_min").removesuffix("_max") for name in left_out(record))
    words = (word("field", name, language) for name in names if name not in PLACE_FIELDS[1:])
    return ", ".join(dict.fromkeys(words))


def _day_part(note: str, language: str) -> str:
    """Word a part of the day, such as "early morning"; any other note on a date stays as it was written."""
    code = f"dossier.part-{note.replace(' ', '-')}"
    return phrase(code, language) if code in catalogue(ENGLISH) else note


def length(metres: float | None, language: str = ENGLISH) -> str:
    """Write a length in metres or kilometres; ``None`` is one that is not known."""
    if metres is None:
        return page_text("unknownLength", language)
    if metres < 1000:
        return page_text("metres", language, n=formatted(metres, "g", language))
    return page_text(
        "kilometres", language, n=formatted(metres / 1000, ",.0f" if metres >= 100_000 else ".3g", language)
    )


def capacity_in_words(asset: Answer, language: str = ENGLISH) -> str:
    """Write the capacity of a site with its unit and its day, or that it is withheld; nothing where it is not known."""
    is_dated = asset["capacity"] is not None and asset["capacity_unit"] is not None and asset["capacity_on"]
    day = f" ({date_in_words(asset['capacity_on'], language)})" if is_dated else ""
    return amount_in_words(asset, language) + day


def amount_in_words(asset: Answer, language: str) -> str:
    """Write the capacity of a site with its unit, or that it is withheld; nothing where it is not known."""
    if asset["capacity"] is None or asset["capacity_unit"] is None:
        return page_text("withheldValue", language) if is_left_out(asset, "capacity", "capacity_unit") else ""
    return f"{formatted(asset['capacity'], ',.12g', language)}{NO_BREAK}{asset['capacity_unit']}"
