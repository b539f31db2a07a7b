"""The section of a page or dossier on a strike: date, place, owners, chains, control and those who were no owners."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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

#: Gives the number under which a source is listed.
Cite = Callable[[str], int]

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


def layered(hit: Mapping[str, Any], cite: Cite, countries: Mapping[str, str], language: str = ENGLISH) -> Json:
    """The chain of a struck asset in words, for the page: holders in layers, and the rest of the sum.

    Parameters
    ----------
    hit
        An asset of an answer, with its chains, rest and warnings.
    countries
        Names of countries by code; a code without a name is said itself.
    """
    name, rest = in_language(hit["asset"], "name", language), hit["rest"]
    title = page_text("chain", language, asset=name)
    holders = list(_rows(tree_of(hit["chains"]), name, 1, cite, countries, language))
    if not holders:
        return {"title": title, "holders": [], "notes": [page_text("noChain", language)]}
    left = share(rest["share_min"], rest["share_max"], language=language)
    notes = [page_text("rest", language, share=left)] if rest["share_max"] > 0 else []
    warnings = [page_text("warning", language, text=text) for text in hit["warnings"]]
    return {"title": title, "holders": holders, "notes": [*notes, *warnings]}


def _rows(
    owned_node: HolderNode, owned: str, level: int, cite: Cite, countries: Mapping[str, str], language: str
) -> Iterator[Json]:
    """Yield the holders below a node, each with the holders of its own."""
    for node in owned_node.children.values():
        assert node.step is not None  # only the root has none
        inner = _rows(node, node.step["name"], level + 1, cite, countries, language)
        row = _row(node, owned, cite, countries, language)
        if level < MAX_DEPTH:
            yield row | {"children": list(inner)}
        else:
            yield row | {"children": []}
            yield from inner


def _row(node: HolderNode, owned: str, cite: Cite, countries: Mapping[str, str], language: str) -> Json:
    step = node.step
    assert step is not None
    country = step["country"] if step["type"] != "state" else None
    held = share(step["share_min"], step["share_max"], language=language)
    return {
        "name": step["name"],
        "where": _country(country, countries, language) if country else "",
        "part": share(*node.part, language=language),
        "bar": _bar(node),
        "held": page_text("holds", language, share=held, owned=owned),
        "dates": _dates(step["since"], step["until"], language),
        "checked": checked_words("checkedShare", step["checked"], language),
        "source": cite(step["source"]),
        "note": step["note"] or "",
        "ends": [_end(chain, countries, language) for chain in node.ends],
    }


def checked_words(what: str, how: str, language: str) -> str:
    """Word how one thing was checked, which is named by a text of the page: a share, a tie or a value."""
    return page_text("checkedOf", language, what=page_text(what, language), how=word("checked", how, language))


def _dates(since: str | None, until: str | None, language: str) -> str:
    said = {"since": date_in_words(since, language), "until": date_in_words(until, language)}
    if since:
        return page_text("sinceUntil" if until else "sinceOnly", language, **said)
    return page_text("untilOnly", language, **said) if until else ""


def _end(chain: Mapping[str, Any], countries: Mapping[str, str], language: str) -> str:
    """Where a share ends; one that stays with a company further down is said to count with that company."""
    stays, top = chain["stays_with"], chain["steps"][-1]["owner"]
    below = stays["name"] if stays and stays["entity"] != top else None
    if below:
        name = "countsWith" if chain["country"] else "countsWithNobody"
    else:
        name = "counts" if chain["country"] else "countsToNobody"
    why = chain["reason"] or page_text(f"reach{chain['reach']}", language)
    part = share(chain["share_min"], chain["share_max"], language=language)
    country = _country(chain["country"], countries, language)
    return page_text(name, language, share=part, country=country, why=why, name=below)


def _country(code: str | None, countries: Mapping[str, str], language: str) -> str:
    return page_text("unattributed", language) if code is None else countries.get(code, code)


def _bar(node: HolderNode) -> list[list[Any]]:
    """Parts of a bar that is the whole asset: what ends here, what goes on to holders above, and the open range."""
    low, high = node.part
    ended = sum(chain["share_min"] for chain in node.ends)
    kinds = {"unattributed": "nobody"}
    parts = [[kinds.get(chain["reach"], chain["reach"]), chain["share_min"]] for chain in node.ends]
    parts += [["through", low - ended], ["range", high - max(low, ended)]]
    return [[kind, width] for kind, width in parts if width > _THIN]


Answer = Mapping[str, Any]
Names = Mapping[str, str]


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


def section(number: int, answer: Answer, sources: CitedSources, countries: Names, language: str = ENGLISH) -> Json:
    """Write the section on a strike."""
    strike = answer["strike"]
    names = {hit["asset"]["id"]: in_language(hit["asset"], "name", language) for hit in answer["assets"]}
    several = answer["rests_on"] == "alternatives" and len(answer["assets"]) > 1
    sure = sum(hit["verdict"] == "confirmed" for hit in answer["assets"])
    together = page_text("allOfThese", language, count=sure) if sure > 1 else ""
    title = strike_title(in_language(strike, "title", language), strike["status"], language)
    owners = answer["owners"]
    return {
        "title": f"{number}. {title}",
        "facts": _facts(answer, sources, countries, language),
        "headline": answer["headline_parts"],
        "rests": rests_in_words(answer["rests_on"], len(answer["assets"]), language),
        "owners": [_owner(row, countries, answer["readings"]["sites_together"], language) for row in owners],
        "several": page_text("oneOfThese", language) if several else together,
        "assets": [_asset(hit, strike["when"], sources, countries, language) for hit in answer["assets"]],
        "others": [_tie(row, names, sources, countries, language) for row in answer["related"]],
    }


def rests_in_words(rests_on: str, sites: int, language: str = ENGLISH) -> str:
    """Write what an answer rests on that names so many sites: one possible site is not one of several."""
    if rests_on == "alternatives" and sites == 1:
        return phrase("dossier.rests-perhaps", language)
    return word("rests", rests_on, language)


def _facts(answer: Answer, sources: CitedSources, countries: Names, language: str) -> list[list[str]]:
    strike, host = answer["strike"], answer["host"]
    note = f" ({_day_part(strike['when_note'], language)})" if strike["when_note"] else ""
    when = date_in_words(strike["when"], language) + note
    # A city that is a region of its own is named once.
    named = dict.fromkeys(in_language(strike, name, language) for name in ("place", "region"))
    place = ", ".join(filter(None, named))
    sure = place_in_words(strike, language)
    country = countries.get(host["country"], host["name"]) if host else ""
    known = answer["host_basis"] or ("withheld" if is_left_out(strike, "geometry") else "unknown")
    said = page_text(f"host{known}", language, country=country)
    cited = " ".join(f"[{sources.cite(name)}]" for name in strike["sources"])
    voices = sources_in_words(strike["n_sources"], strike["n_voices"], language)
    return [
        [page_text("when", language), when],
        [page_text("where", language), f"{place} ({sure})"],
        [page_text("host", language), said],
        [page_text("status", language), word("status", strike["status"], language)],
        [page_text("sources", language), f"{cited} ({voices})"],
    ]


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


def _owner(row: Answer, countries: Names, sites: int, language: str) -> Json:
    """Describe a country's share, split by where its chains end; or the unattributed share with its reasons."""
    code = row["country"]
    if code is None:
        why, bar = "; ".join(row["reasons"]), [["nobody", row["share_min"]]]
    else:
        reached = [(reach, *row[reach]) for reach in REACHES if row[reach][1] > 0]
        why = ", ".join(
            f"{page_text(f'{reach}Short', language)} {share(low, high, sites, language)}"
            for reach, low, high in reached
        )
        bar = [[reach, low] for reach, low, _ in reached]
    known = sum(width for _, width in bar)
    bar += [["split", row["share_min"] - known], ["range", row["share_max"] - max(row["share_min"], known)]]
    return {
        "name": page_text("unattributed", language) if code is None else countries.get(code, row["name"]),
        "share": share(row["share_min"], row["share_max"], sites, language),
        "why": why,
        "bar": [[kind, width] for kind, width in bar if width > 0],
    }


def _asset(hit: Answer, when: str, sources: CitedSources, countries: Names, language: str) -> Json:
    verdict = word("verdict", hit["verdict"], language)
    several = len(hit["control_days"]) > 1
    control = [_span(span, when, several, sources, countries, language) for span in hit["control_days"]]
    capacity = capacity_in_words(hit["asset"], language)
    return {
        **layered(hit, sources.cite, countries, language),
        "verdict": verdict[0].upper() + verdict[1:] + ".",
        "capacity": page_text("capacityOf", language, amount=capacity) if capacity else "",
        "conditions": [_condition(row, sources, language) for row in hit["conditions"]],
        "differs": page_text("controlDiffers", language) if len(control) > 1 else "",
        "control": control,
    }


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


def _condition(row: Answer, sources: CitedSources, language: str) -> str:
    """Describe how far an asset worked over some days, with its source."""
    until = date_in_words(row["until"], language) if row["until"] else page_text("endNotKnown", language)
    days = page_text("sinceUntil", language, since=date_in_words(row["since"], language), until=until)
    low, high = row["working_min"], row["working_max"]
    worked = "" if low is None else page_text("workedPart", language, share=share(low, high, language=language))
    part, note = f", {worked}" if worked else "", f" ({row['note']})" if row["note"] else ""
    return f"{days}: {word('working', row['status'], language)}{part}{note} [{sources.cite(row['source'])}]"


def _span(span: Answer, when: str, several: bool, sources: CitedSources, countries: Names, language: str) -> Json:
    """Describe who was in control during a span of days; the days are named where there are several spans."""
    days = span_in_words(span["first"], span["last"], when, language) if several else ""
    control = span["control"]
    if control is None:
        return {"days": days, "who": page_text("controlNobody", language), "steps": []}
    code = control["country"]
    country = countries.get(code, code) if code else page_text("countryUnknown", language)
    where = [] if control["reach"] == "state" else [country]
    who = ", ".join([control["name"], *where, page_text(f"controlreach{control['reach']}", language)])
    return {"days": days, "who": who, "steps": [_step(step, sources, language) for step in control["steps"]]}


def _step(step: Answer, sources: CitedSources, language: str) -> str:
    holders = page_text("and", language).join(holder["name"] for holder in step["holders"])
    part = share(step["share_min"], step["share_max"], language=language)
    held = "controls" if step["share_max"] == 0 else "holdTogether" if len(step["holders"]) > 1 else "holds"
    kinds = ", ".join(word("control", kind, language) for kind in step["declared"])
    declared = f", {page_text('declared', language, kinds=kinds)}" if kinds else ""
    cited = " ".join(f"[{sources.cite(name)}]" for name in step["sources"])
    return f"{holders} {page_text(held, language, share=part, owned=step['name'])}{declared} {cited}"


def _tie(row: Answer, assets: Names, sources: CitedSources, countries: Names, language: str) -> Json:
    """Describe a holder of another relation; with several assets also to which of them."""
    relation = word("relation", row["relation"], language)
    of = page_text("relationOf", language, relation=relation, asset=assets.get(row["asset"], row["asset"]))
    proof = checked_words("checkedTie", row["checked"], language)
    return {
        "relation": of if len(assets) > 1 else relation,
        "who": holder_in_words(row, countries),
        "note": row["note"] or "",
        "proof": f"{proof} [{sources.cite(row['source'])}]",
    }
