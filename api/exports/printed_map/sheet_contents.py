"""What stands around a printed map: sentences, key, rows of the table and notes, for every form of the sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from api.exports.printed_map.lettering import printable
from api.exports.printed_map.map_frame import MapPicture
from api.exports.printed_map.map_strikes import Credit, MapStrike, SheetOrigin, open_data_note
from api.exports.printed_map.print_words import PrintWords
from api.exports.printed_map.story import RankedStrike, StoryClass
from api.wording.strikes import strike_title
from layers.ownership.percent import digits_of

#: Owners that a row names, publishers that a note names where rows do not cite them, and rows of a table.
_MOST_OWNERS, _MOST_PUBLISHERS, _MOST_ROWS = 4, 10, 400
#: Strikes that the text for those who do not see the map lists.
_MOST_SPOKEN = 12


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row of the table; a strike that is a dot has no number. ``sources`` are numbers of the list of sources."""

    number: int | None
    kind: StoryClass
    title: str
    date: str
    owners: str
    place: str
    sources: str


@dataclass(frozen=True)
class SheetContents:
    """All texts of a sheet, in letters that the fonts have."""

    title: str
    subtitle: str
    spoken: str
    key: Sequence[tuple[StoryClass, str]]
    samples: Sequence[tuple[str, str]]
    rows: Sequence[SheetRow]
    heads: Sequence[str]
    heading: str
    after_rows: str
    notes: Sequence[str]
    credits: Sequence[Credit] = ()


def sheet_contents(
    picture: MapPicture, origin: SheetOrigin, title: str | None, with_table: bool, cites: bool, stands_alone: bool
) -> SheetContents:
    """Write what stands around a picture; a title replaces the story's sentence, which then begins the subtitle.

    A sheet whose rows cite no sources, such as a slide, names the first publishers alone. One that does not stand alone
    is part of a page that lists strikes and sources, and its notes say neither.
    """
    story, words = picture.story, picture.subject.words
    order = sorted(story.strikes, key=lambda one: (one.number is None, one.number or 0))
    subjects = [one for one in order if one.kind != "other" or one.number is not None]
    listed = [one for one in subjects if picture.is_full or one.number is not None][:_MOST_ROWS] if with_table else []
    rest = len(subjects) - len(listed) if listed else 0
    after_rows = [words("table.rest", n=rest)] if rest and stands_alone else []
    cited = _CitedPublishers()
    rows = [_row(one, words, cited.cite(one.strike.sources) if cites else "") for one in listed]
    every = list(dict.fromkeys(publisher for one in order for publisher in one.strike.sources))
    is_apart = picture.is_full and bool(rows)
    sources = cited.listed() if rows and cites and not is_apart else _shortened(every, words)
    if is_apart and cites:
        after_rows.append(printable(words("note.cited", list=cited.listed())))
    subtitle = f"{story.title}. {story.subtitle}" if title else story.subtitle
    spoken_rows = rows[:_MOST_SPOKEN] if not picture.is_full else []
    list_words = " ".join(
        words("alt.item", number=row.number, title=row.title, date=row.date, owners=row.owners) for row in spoken_rows
    )
    rounded = {"circle": "circle-rounded"} if _has_rounded(picture) else {}
    credits = sorted(picture.drawing.credits.union(*(one.strike.credits for one in order)))
    spoken = words("alt.map", title=story.title, subtitle=story.subtitle, list=list_words).strip()
    return SheetContents(
        title=printable(title or story.title),
        subtitle=printable(subtitle),
        spoken=printable(spoken),
        key=[(kind, printable(text)) for kind, text in story.key],
        samples=[(name, words(f"key.{rounded.get(name, name)}")) for name in picture.samples],
        rows=rows,
        heads=[words(f"table.{name}") for name in ("number", "site", "date", "owners", "place", "sources")],
        heading=words("table.heading"),
        after_rows=" ".join(after_rows) if is_apart else "",
        notes=[
            *(after_rows if not is_apart else []),
            *(printable(note) for note in _notes(picture, origin, sources if stands_alone else "", credits)),
        ],
        credits=credits,
    )


def _has_rounded(picture: MapPicture) -> bool:
    return any(place.is_rounded for one in picture.story.strikes for place in one.strike.places)


def _notes(picture: MapPicture, origin: SheetOrigin, sources: str, credits: Sequence[Credit]) -> Iterator[str]:
    words = picture.subject.words
    if picture.is_full:
        yield words("note.dots")
    if picture.areas_left_out:
        yield words("note.circles")
    yield words("note.places-rounded" if _has_rounded(picture) else "note.places", grid=origin.grid)
    yield words("note.borders")
    if origin.retracted:
        yield words("note.retracted", n=origin.retracted)
    yield words("note.ground" if picture.ground.origin == "archive" else "note.ground-plain")
    yield words("note.projection", name=words(f"projection.{picture.frame.projection.kind}"))
    if not picture.has_scale:
        yield words("note.no-scale")
    if sources:
        yield words("note.cited", list=sources)
    yield from (f"{note}." for note in open_data_note(credits, words.language))
    if picture.drawing.has_rough:
        yield words("note.rough-line")
    yield words("note.source", date=words.date(origin.day.isoformat()), history=origin.history)
    for remark in origin.remarks:
        yield remark if remark.endswith(".") else f"{remark}."


class _CitedPublishers:
    """Publishers by the number of their first citation."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {}

    def cite(self, publishers: Sequence[str]) -> str:
        """Return the numbers of publishers in order, three or more that follow each other as a range."""
        numbers = sorted({self._number.setdefault(one, len(self._number) + 1) for one in publishers})
        said = list[str]()
        for _, run in groupby(enumerate(numbers), lambda one: one[1] - one[0]):
            these = [str(number) for _, number in run]
            said += [f"{these[0]}\u2060–\u2060{these[-1]}"] if len(these) > 2 else these
        return ", ".join(said)

    def listed(self) -> str:
        """List them with their numbers."""
        return ", ".join(f"{number}\u00a0{one}" for one, number in self._number.items())


def _shortened(publishers: Sequence[str], words: PrintWords) -> str:
    rest = len(publishers) - _MOST_PUBLISHERS
    more = f" {words('table.more', n=rest)}" if rest > 0 else ""
    return ", ".join(publishers[:_MOST_PUBLISHERS]) + more


def _row(one: RankedStrike, words: PrintWords, sources: str) -> SheetRow:
    strike = one.strike
    return SheetRow(
        number=one.number,
        kind=one.kind,
        title=printable(strike_title(strike.title, strike.status, words.language)),
        date=words.date(strike.when),
        owners=printable(owners_in_words(strike, words)),
        place=_precision(strike, words),
        sources=sources,
    )


def owners_in_words(strike: MapStrike, words: PrintWords) -> str:
    """Write the owners of what a strike hit with the bounds of their shares, the largest first."""
    digits = digits_of(strike.sites)
    parts = [words.owner(owner, share, digits) for owner, share in strike.owners[:_MOST_OWNERS]]
    rest = len(strike.owners) - len(parts)
    more = f" {words('table.more', n=rest)}" if rest > 0 else ""
    return (", ".join(parts) or words("table.nobody")) + more


def _precision(strike: MapStrike, words: PrintWords) -> str:
    """Write how exactly the place of a strike is known."""
    radius = max((place.radius_m for place in strike.places), default=0.0)
    if radius:
        return words("table.within", radius=words.length(radius))
    missing = "table.withheld-place" if "geometry" in strike.withheld else "table.unknown-place"
    return words("table.exact" if strike.at_sites else missing)
