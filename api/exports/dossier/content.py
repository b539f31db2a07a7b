"""The content of a dossier: one value that PDF, DOCX and Markdown are written from. Nothing is read, nothing drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from api.exports.dossier.parts import (
    Bullets,
    Contents,
    Dossier,
    Facts,
    Heading,
    Line,
    MapPart,
    Numbered,
    Paragraph,
    Part,
    Run,
    Table,
    plain,
)
from api.exports.dossier.sections import CitedSources, Names, amount_in_words, rests_in_words
from api.exports.dossier.strike_block import StrikeBlocks
from api.exports.errors import ExportError
from api.exports.text import NO_BREAK, named_shares
from api.http.json import Json
from api.wording.catalogue import formatted
from api.wording.countries import in_language
from api.wording.strikes import strike_title
from layers.disclosure.ruling import is_left_out
from layers.model import edtf

#: Countries that the five lines and rows of the timeline name; the rest is counted.
_MOST_NAMED, _MOST_OWNERS = 5, 3
#: Of more strikes than this the contents list the chapters alone: the timeline has every strike.
_MOST_LISTED = 40
#: A dash at which no line ends.
_DASH = "\u2060–\u2060"
#: A dossier of so many strikes has neither contents nor tables of them.
_SINGLE = 1
#: Letters of the longest code that stands at the foot of a page.
_LONGEST_CODE = 70


@dataclass(frozen=True, kw_only=True)
class DossierOrder:
    """The request for a dossier, and what it says of where it is from.

    Parameters
    ----------
    strikes
        Ids of the strikes in the order of their numbers.
    subject
        What the strikes were selected by, for the title, and its name; ``None`` for any other selection.
    title
        Instead of the title that follows from the subject.
    countries
        Names of countries in the language by ISO 3166-1 alpha-2.
    grid
        To what the publisher rounds places, in words; empty where all are as exact as they are known.
    code, head
        The code of the whole selection, and the hash of the history up to it.
    corrections
        What changed after it was published, as `api.serializers.corrections` words it: ``title``, ``at`` and
        ``sentences``.
    address
        Where the atlas is published, without a slash at the end; empty where that is not known.
    """

    strikes: Sequence[str]
    language: str
    countries: Names
    code: str
    head: str
    day: date
    basis: str
    minority: str
    subject: tuple[Literal["country", "entity", "asset"], str] | None = None
    title: str | None = None
    remarks: Sequence[str] = ()
    grid: str = ""
    corrections: Sequence[Json] = ()
    address: str = ""


def dossier(
    selection: Json, answers: Iterable[tuple[Mapping[str, Json], str]], map_part: MapPart | None, order: DossierOrder
) -> Dossier:
    """Write the content of a dossier.

    Parameters
    ----------
    selection
        What the strikes come to together, as `api.serializers.selection` gives it.
    answers
        The whole answer to each strike in the order of their numbers, with its code; each is read once and let go.
    map_part
        The map in words; ``None`` where no strike has a known place.

    Raises
    ------
    ExportError
        If there is no strike.
    """
    if not order.strikes:
        raise ExportError("expected at least one strike for a dossier; got none: widen box, time or conditions")
    return _Writer(selection, order).written(answers, map_part)


class _Writer:
    def __init__(self, selection: Json, order: DossierOrder) -> None:
        self.selection, self.order = selection, order
        self.sources = CitedSources([selection])
        self._blocks = StrikeBlocks(self.sources, order.countries, order.language, order.address)
        self._say, self._text, self._date = self._blocks.say, self._blocks.text, self._blocks.date
        self._number_of = {key: number for number, key in enumerate(order.strikes, 1)}

    def written(self, answers: Iterable[tuple[Mapping[str, Json], str]], map_part: MapPart | None) -> Dossier:
        order, language = self.order, self.order.language
        title, several = self._title(), len(order.strikes) > _SINGLE
        facts = [*self._five_lines()]
        parts: list[Part] = [Heading(1, title), Facts(facts)]
        if map_part:
            parts.append(map_part)
        if several:
            shown = 3 if len(order.strikes) <= _MOST_LISTED else 2
            parts += [Contents(self._say("contents"), shown), *self._tables()]
        parts.append(Heading(2, self._say("strikes" if several else "strike"), "strikes"))
        parts += [Paragraph(plain(text, soft=True)) for text in self._reading()]
        for number, (answer, code) in enumerate(answers, 1):
            self.sources.add(answer)
            parts += self._blocks.parts(number, answer, code)
        parts += [*self._about()]
        # A code that is too long for a line is in the version of the data alone.
        code = order.code if len(order.code) <= _LONGEST_CODE else ""
        before, between = self._say("page", number="\0", total="\0").split("\0")[:2]
        return Dossier(
            title=title,
            language=language,
            day=order.day,
            foot=self._say("foot", day=self._day(), history=order.head[:16], code=code).strip(),
            page=(before, between),
            description=" ".join(run.text for _, line in facts for run in line),
            parts=parts,
        )

    def _day(self) -> str:
        return self._date(self.order.day.isoformat())

    def _number(self, value: float) -> str:
        return formatted(value, ",.4g" if abs(value) < 1000 else ",.0f", self.order.language)

    def _title(self) -> str:
        if self.order.title:
            return self.order.title
        if self.order.subject:
            kind, name = self.order.subject
            return self._say(f"title-{kind}", name=name)
        if len(self.order.strikes) == _SINGLE and self.selection["strikes"]:
            return self._strike_title(self.selection["strikes"][0])
        return self._say("title")

    def _strike_title(self, row: Mapping[str, Json]) -> str:
        title: str = in_language(row, "title", self.order.language)
        return strike_title(title, str(row["status"]), self.order.language)

    def _country(self, row: Mapping[str, Json]) -> str:
        return self.order.countries.get(str(row["country"]), str(row["name"]))

    # --- the five lines ---------------------------------------------------------------------------

    def _five_lines(self) -> Iterator[tuple[str, Line]]:
        rows, sure = self.selection["strikes"], self.selection["sure"]
        span = self._span([row["when"] for row in rows])
        count = self._say("line-count" if len(rows) > 1 else "line-count-one", n=len(rows), **span)
        if len(rows) > sure:
            count += " " + self._say("line-drafts", n=len(rows) - sure)
        if left := len(self.selection["left_out"]):
            count += " " + self._say("line-retracted", n=left)
        yield self._say("line-strikes-term"), plain(f"{count} {self._say('line-incomplete')}")
        owners = f"{self._owners(rows[0])}." if len(rows) == 1 else self._owners_line()
        yield self._say("line-owners-term"), plain(owners)
        hosts = sorted((row for row in self.selection["countries"] if row["host"]), key=lambda row: -row["host"])
        single = rows[0] if len(rows) == 1 else None
        named = [self._country(row) + ("" if single else f" {self._number(row['host'])}") for row in hosts]
        yield self._say("line-hosts-term"), plain(self._listed(named) + ".")
        yield self._say("line-capacity-term"), plain(self._capacity_line())
        rests = dict.fromkeys(("decision", "alternatives", "match", "nothing"), 0) | self.selection["rests_on"]
        how = self._say("line-open", **rests, unattributed=self.selection["unattributed"])
        if single:
            sites = sum(row["sites"] for row in self.selection["capacity"]["hit"])
            how = rests_in_words(next(iter(self.selection["rests_on"])), sites, self.order.language)
        yield self._say("line-open-term"), plain(how)

    def _span(self, dates: Sequence[str]) -> Mapping[str, str]:
        """Word the first and last date of strikes: the ends of such as last some days."""
        if len(dates) < 2:
            return dict.fromkeys(("first", "last"), self._date(dates[0]) if dates else "–")
        starts, ends = ([ends_of(one)[side] for one in dates] for side in (0, 1))
        first = min(starts, key=lambda when: edtf.parse(when).earliest or date.min)
        last = max(ends, key=lambda when: edtf.parse(when).latest or date.max)
        return {name: self._date(when) for name, when in (("first", first), ("last", last))}

    def _owners_line(self) -> str:
        owning = [row for row in self.selection["countries"] if row["owner"]["sure"] or row["owner"]["possible"]]
        named = []
        for row in owning:
            sure, possible = row["owner"]["sure"], row["owner"]["possible"]
            code = "owner-both" if sure and possible else "owner-sure" if sure else "owner-possible"
            named.append(self._say(code, country=self._country(row), sure=sure, possible=possible))
        return self._say("line-owners", list=self._listed(named)) if named else self._say("line-no-owners")

    def _capacity_line(self) -> str:
        hit = [row for row in self.selection["capacity"]["hit"] if row["unit"] is not None]
        unknown = sum(row["sites"] for row in self.selection["capacity"]["hit"] if row["unit"] is None)
        said = [
            self._bounds(row["capacity_min"], row["capacity_max"], row["unit"]) for row in hit if row["capacity_max"]
        ]
        words = self._say("line-capacity", list=", ".join(said)) if said else self._say("line-no-capacity")
        lost = [row for row in self.selection["capacity"]["lost"] if row["unit"] and row["cause"] == "strike"]
        if lost:
            words += " " + self._say("line-lost", list=", ".join(self._lost(row, row["unit"]) for row in lost))
        words += " " + self._say("line-unknown", n=unknown) if unknown else ""
        withheld = sum(row.get("withheld", 0) for row in self.selection["capacity"]["hit"])
        return words + (" " + self._say("line-withheld", n=withheld) if withheld else "")

    def _lost(self, row: Json, unit: str) -> str:
        """Write what was lost: of a rate the volume, else capacity-days."""
        if row["volume_unit"]:
            return self._bounds(row["volume_min"], row["volume_max"], row["volume_unit"])
        return self._bounds(row["capacity_days_min"], row["capacity_days_max"], self._days(unit))

    def _days(self, unit: str) -> str:
        return self._text("capacityDays", unit=unit)

    def _bounds(self, low: float, high: float, unit: str) -> str:
        ends = dict.fromkeys((self._number(low), self._number(high)))
        return _DASH.join(ends) + f"\u00a0{unit}"

    def _listed(self, named: Sequence[str]) -> str:
        rest = len(named) - _MOST_NAMED
        more = self._say("more", n=rest) if rest > 0 else ""
        return ", ".join(named[:_MOST_NAMED]) + (f" {more}" if more else "") or "–"

    # --- tables of several strikes ----------------------------------------------------------------

    def _tables(self) -> Iterator[Part]:
        yield Heading(2, self._say("countries"), "countries")
        yield Paragraph(plain(self._say("countries-why"), soft=True))
        yield self._countries_table()
        yield Heading(2, self._say("capacity"), "capacity")
        yield from self._capacity()
        yield Heading(2, self._say("timeline"), "timeline")
        yield self._timeline()

    def _table(
        self, name: str, columns: Mapping[str, float], rows: Sequence[Sequence[Line]], caption: str = ""
    ) -> Table:
        """A table whose columns have a head, by its code, and a width each."""
        return Table(caption, [self._say(f"{name}-{column}") for column in columns], [*columns.values()], rows)

    def _countries_table(self) -> Table:
        rows = []
        for row in self.selection["countries"]:
            owner = row["owner"]
            held = "–".join(dict.fromkeys(self._number(owner[end]) for end in ("assets_min", "assets_max")))
            has_owned = owner["sure"] or owner["possible"]
            numbers = (owner["sure"], owner["possible"], held if has_owned else 0, row["host"], row["related"])
            cells = ("–" if value in (0, "0") else str(value) for value in numbers)
            rows.append((plain(self._country(row)), *map(plain, cells)))
        columns = {"country": 3.4, "sure": -1.6, "possible": -1.6, "whole": -2.2, "host": -1.6, "related": -1.6}
        return self._table("countries", columns, rows)

    def _capacity(self) -> Iterator[Part]:
        figures, owner = self.selection["capacity"], self.selection["country"]
        why = self._say("capacity-why-owner" if owner else "capacity-why", country=self.order.countries.get(owner, ""))
        yield Paragraph(plain(why, soft=True))
        hit = [(self._text("capacityHit"), row, "capacity", row["unit"]) for row in figures["hit"]]
        lost = [
            (self._text(f"lost{row['cause']}"), row, "capacity_days", row["unit"] and self._days(row["unit"]))
            for row in figures["lost"]
        ]
        rows = []
        for what, row, name, unit in (*hit, *lost):
            ends = ["–" if row["unit"] is None else self._number(row[f"{name}_{end}"]) for end in ("min", "max")]
            unit = unit or self._text("capacityUnknown")
            rows.append([*map(plain, (what, unit, *ends, str(row["sites"]), str(row["sites_sure"])))])
        if not rows:
            yield Paragraph(plain(self._say("line-no-capacity")))
            return
        columns = {"what": 3, "unit": 2.6, "least": -1.8, "most": -1.8, "sites": -1.2, "sure": -1.2}
        yield self._table("capacity", columns, rows)
        if figures["untold"]:
            yield Paragraph(plain(self._say("untold", n=figures["untold"])))
        if self.selection["sites"]:
            yield self._sites_table()

    def _sites_table(self) -> Table:
        language, rows = self.order.language, []
        for site in self.selection["sites"]:
            amount = amount_in_words(site, language) or "–"
            lost = [
                f"{self._text('lost' + loss['cause'])}: {self._lost(loss, site['capacity_unit'])}"
                for loss in site["lost"]
                if loss["capacity_days_min"] is not None
            ]
            found = sorted(
                self._number_of[one["strike"]] for one in site["strikes"] if one["strike"] in self._number_of
            )
            links = [run for n in found for run in (Run(", "), Run(str(n), target=f"#strike-{n}"))][1:]
            said = plain("; ".join(lost) or "–")
            rows.append((plain(site["asset_name"]), plain(amount), links, said, self._citations(site["sources"])))
        columns = {"site": 3.4, "capacity": 2, "strikes": 1.6, "lost": 3, "sources": 1.8}
        return self._table("sites", columns, rows, self._text("capacitySites"))

    def _citations(self, sources: Iterable[str]) -> list[Run]:
        numbers = [self.sources.cite(name) for name in sources]
        return [run for n in sorted(numbers) for run in (Run(" "), Run(f"[{n}]", target=f"#source-{n}"))][1:]

    def _timeline(self) -> Table:
        rows = [
            (
                (Run(str(number), target=f"#strike-{number}"),),
                plain(self._date(row["when"])),
                plain(self._strike_title(row)),
                plain(self._owners(row)),
            )
            for row in self.selection["strikes"]
            if (number := self._number_of.get(row["strike"]))
        ]
        return self._table("timeline", {"number": -0.8, "when": 2.6, "strike": 5.2, "owners": 4.2}, rows)

    def _owners(self, row: Json) -> str:
        language = self.order.language
        owners = named_shares(row["owners"], self.order.countries, row["sites_together"], language)
        named = [owner.replace(" ", NO_BREAK).replace("–", _DASH) for owner in owners]
        rest = len(named) - _MOST_OWNERS
        more = NO_BREAK + self._say("more", n=rest).replace(" ", NO_BREAK) if rest > 0 else ""
        return ", ".join(named[:_MOST_OWNERS]) + more or self._text("unattributed")

    # --- what it is based on ----------------------------------------------------------------------

    def _reading(self) -> Iterator[str]:
        yield self._text("chainHow")
        yield f"{self._text('control')}. {self._text('controlWhy')}"
        yield f"{self._text('notOwners')}. {self._text('notOwnersWhy')}"

    def _about(self) -> Iterator[Part]:
        order, language = self.order, self.order.language
        yield Heading(2, self._say("method"), "method")
        yield Bullets([plain(text) for text in self._method()])
        if self.selection["left_out"]:
            left = [in_language(row, "title", language) for row in self.selection["left_out"]]
            yield Paragraph(plain(self._say("left-out", list="; ".join(left))))
        yield Heading(2, self._say("corrections"), "corrections")
        lines = [self._correction(entry) for entry in order.corrections]
        yield Bullets(lines) if lines else Paragraph(plain(self._say("no-corrections")))
        yield Heading(2, self._say("version"), "version")
        version = [
            (self._say("version-day"), plain(self._day())),
            (self._say("version-head"), plain(order.head)),
            (self._say("code"), plain(order.code)),
        ]
        yield Facts(version)
        yield Paragraph(plain(self._say("verify", code=order.code)))
        yield from (Paragraph(plain(remark if remark.endswith(".") else f"{remark}.")) for remark in order.remarks)
        yield Heading(2, self._text("sources"), "sources")
        yield Numbered([self._source(source) for source in self.sources.cited()])

    def _method(self) -> Iterator[str]:
        order = self.order
        yield f"{self._text('basis')} {self._text(f'basis{order.basis}')}."
        yield f"{self._text('minority')} {self._text(f'minority{order.minority}')}."
        places = "places-rounded" if order.grid else "places"
        for name in ("shares", "sure", places, "capacity", "scope"):
            yield self._say(f"method-{name}", grid=order.grid)

    def _correction(self, entry: Json) -> Line:
        day = self._date(str(entry["at"])[:10])
        said = " ".join(f"{text}." for text in entry["sentences"])
        return (Run(f"{day}: ", "soft"), Run(f"{entry['title']}. ", "strong"), Run(said))

    def _source(self, source: Json) -> Line:
        published = self._date(source["published"]) if source["published"] else None
        published = published and published.replace(" ", NO_BREAK)
        words = ", ".join(part for part in (source["publisher"], source["title"], published) if part)
        runs = [Run(f"{words}. ")]
        if source["url"]:
            runs += [_address(source["url"]), Run(" ")]
        archived = source["archive_url"]
        runs.append(Run(self._say("archive") + NO_BREAK, "soft"))
        is_withheld = is_left_out(source, "archive_url")
        missing = self._text("withheldValue") if is_withheld else self._say("archive-none")
        runs.append(_address(archived) if archived else Run(missing, "soft"))
        if source["licence"]:
            runs.append(Run(f" · {source['licence']}", "soft"))
        return runs


def ends_of(when: str) -> tuple[str, str]:
    """Split an EDTF date into those at its ends: both are the date where it is no interval, or the one known end."""
    first, slash, last = when.partition("/")
    if not slash:
        return when, when
    known = [end for end in (first, last) if end not in ("", "..")] or [when]
    return known[0], known[-1]


def _address(url: str) -> Run:
    """An address, which leads there where it is one of the web."""
    return Run(url, target=url if url.lower().startswith(("http://", "https://")) else "")


def map_order(drawn: Sequence[str], selection: Json) -> list[str]:
    """List the ids of strikes: those on the map in the order of its numbers, then the rest by date."""
    listed = [str(row["strike"]) for row in selection["strikes"]]
    on_map = [key for key in drawn if key in set(listed)]
    return [*on_map, *(key for key in listed if key not in set(on_map))]
