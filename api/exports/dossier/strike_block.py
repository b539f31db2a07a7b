"""The parts of a dossier that are about one strike: identifiers, place, owners with their chains, claims, code."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from shapely.geometry import shape

from api.exports.dossier.parts import Bullets, Facts, Heading, Holder, Holders, Line, Paragraph, Part, Run, Table, plain
from api.exports.dossier.sections import Answer, SectionWriter, checked_words, length, withheld_in_words
from api.exports.text import NO_BREAK, words
from api.http.json import Json
from api.wording.catalogue import formatted
from api.wording.dates import DATED
from layers.disclosure.ruling import is_left_out, is_rounded, left_out
from layers.reference.country_names import code_of

_CITED = re.compile(r"\[([0-9]{1,6})\]")
#: Metres of a degree of latitude, and most decimals of degrees: a tenth of a second is 3 m.
_DEGREE_M, _MOST_DECIMALS = 111_320.0, 5
#: Facts of the record that are said where it has them, and the texts that name them.
_STATED = ("attacker", "targets", "damage")


@dataclass(frozen=True)
class StrikeBlocks(SectionWriter):
    """Writes the block of each strike; sources are numbered over all blocks, and equal chains are written once.

    Parameters
    ----------
    address
        Where the atlas is published, without a slash at the end; empty where that is not known.
    """

    address: str = ""
    _chains: dict[str, int] = field(default_factory=dict)
    _claimed: set[str] = field(default_factory=set)

    def parts(self, number: int, answer: Answer, code: str) -> Iterator[Part]:
        """Write the block of a strike.

        ``code``: the code of the answer, which `strikeatlas verify` takes.
        """
        said = self.section(number, answer)
        yield Heading(3, said["title"], f"strike-{number}")
        for sentence in said["headline"]:
            yield Paragraph(plain(f"{sentence}.", strong=True))
        yield Facts([*self._fact_rows(said["facts"], answer), (self.say("code"), plain(code))])
        yield Heading(4, self.text("whose"))
        yield Paragraph(plain(said["rests"]))
        yield Holders([_country(row) for row in said["owners"]])
        if said["several"]:
            yield Paragraph(plain(said["several"], strong=True))
        if said["others"]:
            yield Heading(4, self.text("notOwners"))
            yield Bullets([self._tie_line(row) for row in said["others"]])
        for hit, asset in zip(answer["assets"], said["assets"], strict=True):
            yield from self._asset_parts(number, hit, asset)
        yield from self._claims(answer)

    def _fact_rows(self, stated: Sequence[Sequence[str]], answer: Answer) -> Iterator[tuple[str, Line]]:
        strike = answer["strike"]
        *before, cited = stated
        yield from ((term, plain(text)) for term, text in before)
        source = f" [{self.sources.cite(strike['place_source'])}]" if strike["place_source"] else ""
        yield self.say("coordinates"), self._linked(self._coordinates(strike) + source)
        weapons = ", ".join(self._weapon(row) for row in strike["weapons"])
        facts = {name: strike[name] for name in _STATED} | {"attacker": self._attacker(strike["attacker"])}
        hidden = dict.fromkeys(left_out(strike), self.text("withheldValue"))
        for name, known in {**facts, "weapons": weapons}.items():
            if value := known or hidden.get(name):
                yield self.text(f"field{name}"), plain(_joined(value))
        if named := withheld_in_words(strike, self.language):
            yield self.text("withheld"), plain(named)
        path = f"/collections/strikes/items/{quote(strike['id'], safe='/')}"
        yield self.say("strike-id"), plain(strike["id"])
        if answer["assets"]:
            yield self.say("site-ids"), plain(", ".join(hit["asset"]["id"] for hit in answer["assets"]))
        if self.address:
            yield self.say("permalink"), (Run(self.address + path, target=self.address + path),)
        else:
            yield self.say("permalink"), plain(self.say("permalink-path", path=path))
        yield cited[0], self._linked(cited[1])

    def _attacker(self, said: str | None) -> str | None:
        """Name a country in the language; anything else, such as who says so, stays as it was written."""
        return said and self.countries.get(code_of(said) or "", said)

    def _weapon(self, row: Json) -> str:
        least, most = row["count_min"], row["count_max"]
        kind = words("weapon", row["kind"], self.language)
        if least is None and most is None:
            return kind
        ends = dict.fromkeys(formatted(end, ",", self.language) for end in (least, most) if end is not None)
        number = "–".join(ends)
        if least is None or most is None:
            number = self.say("weapons-most" if least is None else "weapons-least", n=number)
        return f"{kind} ({number})"

    def _coordinates(self, strike: Json) -> str:
        """Write a place, or the middle of its box, in degrees with no more decimals than its uncertainty allows."""
        place = shape(strike["geometry"]) if strike["geometry"] else None
        if place is None or place.is_empty:
            is_withheld = is_left_out(strike, "geometry")
            return self.text("placeWithheld") if is_withheld else self.say("no-coordinates")
        west, south, east, north = place.bounds
        middle = (west + east) / 2, (south + north) / 2
        decimals = decimals_of(strike["uncertainty_m"])
        lon, lat = (formatted(abs(degrees), f".{decimals}f", self.language) for degrees in middle)
        sides = self.say("east" if middle[0] >= 0 else "west"), self.say("north" if middle[1] >= 0 else "south")
        radius = length(strike["uncertainty_m"], self.language)
        said = f"{lat}°{NO_BREAK}{sides[1]}, {lon}°{NO_BREAK}{sides[0]}"
        if strike["uncertainty_m"] is None:
            return self.say("coordinates-open", place=said)
        rounded = f" ({self.text('roundedBy')})" if is_rounded(strike) else ""
        return self.say("coordinates-within", place=said, radius=radius) + rounded

    def _asset_parts(self, number: int, hit: Answer, asset: Json) -> Iterator[Part]:
        yield Heading(4, asset["title"])
        about = [asset["verdict"], asset["capacity"]]
        yield Paragraph((Run(" ".join(text for text in about if text), "soft"), *self._decision(hit["decision"])))
        chain = repr((hit["asset"]["id"], asset["holders"], asset["control"]))
        first = self._chains.setdefault(chain, number)
        if first != number and asset["holders"]:
            again = self.say("chain-again", number=first)
            yield Paragraph((Run(again, target=f"#strike-{first}"),))
        else:
            if asset["holders"]:
                yield Holders([_holder(row) for row in asset["holders"]])
            yield from (Paragraph(plain(note)) for note in asset["notes"])
            yield from self._control_parts(asset)
        if asset["conditions"]:
            yield Paragraph(plain(self.text("conditions"), strong=True))
            yield Bullets([self._linked(row) for row in asset["conditions"]])

    def _decision(self, decision: Json | None) -> Line:
        """Write who decided what was hit, when and why, with its sources; nothing where nobody did."""
        if decision is None:
            return ()
        when = self.date(decision["when"])
        cited = "".join(f" [{self.sources.cite(name)}]" for name in decision["sources"])
        words = ": ".join(part for part in (f"{decision['who']}, {when}", decision["why"]) if part)
        return (Run(f" {words}", "soft"), *self._linked(cited))

    def _control_parts(self, asset: Json) -> Iterator[Part]:
        who = [(f"{span['days']}: " if span["days"] else "") + span["who"] for span in asset["control"]]
        yield Paragraph((Run(f"{self.text('control')}: ", "strong"), *plain("; ".join(who))))
        steps = [step for span in asset["control"] for step in span["steps"]]
        if steps:
            yield Bullets([self._linked(step) for step in dict.fromkeys(steps)])

    def _tie_line(self, row: Json) -> Line:
        note = (Run(f" ({row['note']})", "soft"),) if row["note"] else ()
        return (Run(f"{row['relation']}: "), Run(row["who"], "strong"), *note, Run(" · "), *self._linked(row["proof"]))

    def _claims(self, answer: Answer) -> Iterator[Part]:
        """Write the claims: of sites and owners, which strikes share, each once, and how many stood before."""
        names, rows, before = _names(answer), list[Sequence[Line]](), 0
        for row in answer["claims"]:
            about = names.get(row["record"], row["record"]) if row["record"] != answer["strike"]["id"] else ""
            if about and (key := repr(sorted(row.items()))) in self._claimed:
                before += 1
                continue
            if about:
                self._claimed.add(key)
            what = self._word("field", row["field"])
            rows.append(
                (
                    (Run(what), *((Run(f" ({about})", "soft"),) if about else ())),
                    plain(self._value(row)),
                    plain(self.say("quoted", text=row["quote"]) if row["quote"] else "–"),
                    plain(checked_words("checkedValue", row["checked"], self.language)),
                    self._linked(f"[{self.sources.cite(row['source'])}]"),
                )
            )
        if rows:
            heads = [self.say(f"claim-{name}") for name in ("field", "value", "quote", "checked", "source")]
            yield Table(self.text("claims"), heads, (2.6, 3.8, 4.8, 3, 1.2), rows)
        if before:
            yield Paragraph(plain(self.say("claims-before", n=before), soft=True))

    def _value(self, row: Json) -> str:
        value = _joined(row["value"])
        return self.date(value) if row["field"] in DATED else value

    def _linked(self, text: str) -> Line:
        """Let numbers of sources in a text, such as [3], lead to them."""
        runs, at = list[Run](), 0
        known = len(self.sources.numbers)
        for found in _CITED.finditer(text):
            if 1 <= int(found[1]) <= known:
                runs += [Run(text[at : found.start()]), Run(found[0], target=f"#source-{found[1]}")]
                at = found.end()
        return [run for run in (*runs, Run(text[at:])) if run.text]


def decimals_of(uncertainty_m: float | None) -> int:
    """Return how many decimals of degrees a place has that is known within so many metres; 2 where that is not known.

    The last decimal is about as fine as the place is known: 5 km two decimals, 100 m four.
    """
    if uncertainty_m is None:
        return 2
    return min(max(math.ceil(math.log10(_DEGREE_M / max(uncertainty_m, 1.0))), 0), _MOST_DECIMALS)


def _names(answer: Answer) -> Mapping[str, str]:
    """Names of the sites and owners of an answer by their ids."""
    steps = [step for hit in answer["assets"] for chain in hit["chains"] for step in chain["steps"]]
    return {hit["asset"]["id"]: hit["asset"]["name"] for hit in answer["assets"]} | {
        step["owner"]: step["name"] for step in steps
    }


def _joined(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)


def _country(row: Json) -> Holder:
    return Holder(row["name"], row["share"], row["why"], bar=row["bar"])


def _holder(row: Json) -> Holder:
    about = " · ".join(part for part in (row["dates"], row["checked"]) if part)
    cited = Run(f"[{row['source']}]", target=f"#source-{row['source']}")
    note = (Run(f" · {row['note']}", "soft"),) if row["note"] else ()
    lines: list[Line] = [(Run(f"{row['held']} "), Run(f"· {about} ", "soft"), cited, *note)]
    lines += [plain(f"› {end}", strong=True) for end in row["ends"]]
    name = row["name"] + (f", {row['where']}" if row["where"] else "")
    return Holder(name, row["part"], lines=lines, bar=row["bar"], below=[_holder(one) for one in row["children"]])
