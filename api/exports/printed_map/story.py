"""What a map says: the class and the order of its strikes by whose they were, and the sentence that the picture shows.

Bounds decide. A share is over half if its least value is; a title counts from those that are surely so to those that
may be, and says of how many that is not established. Nothing depends on the country that was struck but what is at home
there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from api.exports.printed_map.map_strikes import MapStrike, StruckPlace
from api.exports.printed_map.print_words import PrintWords
from layers.attribution.attribute import NEGLIGIBLE
from layers.ownership.percent import digits_of
from layers.ownership.walk import Interval

#: How a strike is drawn: by one country's share, or by where its owners are at home.
StoryClass = Literal["whole", "part", "maybe", "tied", "abroad", "unclear", "home", "other"]
CLASSES: tuple[StoryClass, ...] = get_args(StoryClass)
_WHOLE, _HALF = 99.95, 50.0


@dataclass(frozen=True, slots=True)
class RankedStrike:
    """A strike with its class and its number on the map; a strike that is a dot has no number."""

    strike: MapStrike
    kind: StoryClass
    number: int | None = None


@dataclass(frozen=True, slots=True)
class MapSite:
    """What stands at one place, or at one set of possible places: the strikes there, in the order of their numbers."""

    places: tuple[StruckPlace, ...]
    strikes: tuple[RankedStrike, ...]

    @property
    def numbered(self) -> tuple[RankedStrike, ...]:
        """The strikes with numbers."""
        return tuple(one for one in self.strikes if one.number is not None)

    @property
    def kind(self) -> StoryClass:
        """The class that comes first of those here."""
        return min((one.kind for one in self.strikes), key=CLASSES.index)


@dataclass(frozen=True)
class Story:
    """The strikes of a map in the order of its table, its sentences, and what its key explains.

    ``numbered`` and ``others`` have places; ``key`` is text by class with counts.
    """

    title: str
    subtitle: str
    numbered: Sequence[RankedStrike]
    others: Sequence[RankedStrike]
    key: Sequence[tuple[StoryClass, str]]
    shares: Sequence[tuple[str | None, Interval]] = ()
    home: str | None = None

    @property
    def strikes(self) -> list[RankedStrike]:
        """All strikes that are drawn."""
        return [*self.numbered, *self.others]

    @property
    def dotted(self) -> list[StoryClass]:
        """Classes of which no strike has a number, so that all are dots."""
        numbered = {one.kind for one in self.numbered}
        return [kind for kind, _ in self.key if kind not in numbered]

    @property
    def hosts(self) -> list[str]:
        """Countries that were struck: those of most of what the map tells of first, then of most of all strikes."""
        told, every = (
            Counter(one.strike.host for one in ranked if one.strike.host)
            for ranked in ([one for one in self.strikes if one.kind != "other"], self.strikes)
        )
        return sorted(map(str, every), key=lambda iso: (-told[iso], -every[iso], iso))

    @property
    def struck_lines(self) -> frozenset[str]:
        """Lines that were struck by what the map tells of."""
        subjects = [one for one in self.strikes if one.kind != "other"]
        return frozenset().union(*(one.strike.lines for one in subjects)) if subjects else frozenset()

    def without_numbers(self, keep: Callable[[RankedStrike], bool] = lambda one: False) -> Story:
        """Return the story with dots instead of numbers, but for strikes that keep theirs."""
        if all(map(keep, self.numbered)):
            return self
        staying = [one for one in self.numbered if keep(one)]
        dots = [replace(one, number=None) for one in self.numbered if not keep(one)]
        return replace(self, numbered=staying, others=[*self.others, *dots])


def country_class(strike: MapStrike, country: str) -> StoryClass:
    """Class of a strike by the share of a country in what it hit: "maybe" too where it is not sure that it hit that."""
    share = strike.share(country)
    if share.high <= NEGLIGIBLE:
        return "tied" if country in strike.tied else "other"
    if not strike.is_sure or share.low <= NEGLIGIBLE:
        return "maybe"
    return "whole" if share.low >= _WHOLE else "part"


def region_class(strike: MapStrike) -> StoryClass:
    """Class of a strike by where its owners are at home: over half of it surely abroad, or in the country struck."""
    if strike.abroad.low > _HALF:
        return "abroad"
    return "home" if strike.host is not None and strike.share(strike.host).low > _HALF else "unclear"


def sites_of(strikes: Sequence[RankedStrike]) -> list[MapSite]:
    """Group strikes by place: those at one place share a symbol, one that hit several sites stands at each."""
    groups: dict[tuple[tuple[float, float], ...], list[tuple[RankedStrike, tuple[StruckPlace, ...]]]] = {}
    for one in strikes:
        places = one.strike.places
        for group in [places] if one.strike.alternatives else [(place,) for place in places]:
            key = tuple((round(place.lon, 3), round(place.lat, 3)) for place in group)
            groups.setdefault(key, []).append((one, group))
    return [
        MapSite(
            max((places for _, places in members), key=lambda places: sum(place.radius_m for place in places)),
            tuple(one for one, _ in members),
        )
        for members in groups.values()
    ]


# --- stories ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StoryTeller:
    """Tells a story of strikes in the words of a language.

    Parameters
    ----------
    no_place
        How many of the selected strikes have no known place.
    scope
        Words for which strikes are counted; those in the area of the map if not given.
    """

    words: PrintWords
    no_place: int = 0
    scope: str | None = None

    def of_country(self, strikes: Sequence[MapStrike], country: str) -> Story:
        """The story of a country: what it owned wholly, in part, perhaps, what it was tied to otherwise, and others."""
        named = self.words.country(country)
        ranked = [(strike, country_class(strike, country)) for strike in strikes]
        ranked.sort(key=lambda one: (CLASSES.index(one[1]), -one[0].share(country).low, *_by_day(one[0])))
        subjects = [one for one in ranked if one[1] != "other"]
        owned = [strike for strike, kind in ranked if kind in ("whole", "part", "maybe")]
        count = Counter(kind for _, kind in ranked)
        sure, tied = count["whole"] + count["part"], count["tied"]
        if not owned and tied:
            title = self.words("title.country-tied", n=len(strikes), area=self._area, country=named, tied=tied)
        else:
            span = self._range(sure, len(owned))
            title = self.words("title.country", n=len(strikes), range=span, area=self._area, country=named)
        perhaps = len(owned) - sure - sum(strike.status == "draft" for strike in owned)
        said = self._counted("possible", perhaps if sure else 0) + self._drafts(owned)
        said += self._counted("tied", tied if owned else 0)
        others = [RankedStrike(strike, kind) for strike, kind in ranked if kind == "other"]
        unknown = sum(not one.strike.owners or one.strike.share(None).low > _HALF for one in others)
        said += self._counted("others-unclear", unknown)
        return self._story(title, said, _numbered(subjects), others, strikes, country=named)

    def of_region(self, strikes: Sequence[MapStrike]) -> Story:
        """The story of a region: what was owned abroad, at home, and what is not established."""
        classes = {strike.id: region_class(strike) for strike in strikes}
        first_here: dict[object, str] = {}
        for strike in sorted(strikes, key=_by_day):
            first_here.setdefault((_spot(strike), classes[strike.id]), _by_day(strike)[0])
        # Neighbours of one class have neighbouring numbers.
        ranked = sorted(
            ((strike, classes[strike.id]) for strike in strikes),
            key=lambda one: (CLASSES.index(one[1]), first_here[_spot(one[0]), one[1]], _spot(one[0]), *_by_day(one[0])),
        )
        count = Counter(classes.values())
        sure = Counter(classes[strike.id] for strike in strikes if strike.is_sure)
        kinds: list[StoryClass] = ["abroad", "home"] if count["abroad"] >= count["home"] else ["home", "abroad"]
        main, unclear = kinds[0], count["unclear"]
        spans = {kind: self._range(sure[kind], count[kind]) for kind in kinds if count[kind]}
        said = [self.words(f"subtitle.{kind}", n=count[kind], range=span) for kind, span in spans.items()]
        if not said:
            sentence = self.words("title.unclear", n=len(strikes), area=self._area)
        elif unclear >= count[main]:
            sentence = self.words("title.mostly-unclear", n=len(strikes), area=self._area, unclear=unclear)
            said += self._drafts(strikes)
        else:
            rest = self.words("title.and-unclear", unclear=unclear) if unclear else ""
            sentence = self.words(f"title.{main}", n=len(strikes), range=spans[main], area=self._area, rest=rest)
            said = [*said[1:], *self._drafts([strike for strike in strikes if classes[strike.id] == main])]
        hosts = {strike.host for strike in strikes}
        if len(hosts) == 1 and None not in hosts:
            sentence = self.words("title.placed", place=self.words.country(hosts.pop()), sentence=sentence)
        title = sentence[:1].upper() + sentence[1:]
        return self._story(title, said, _numbered(ranked), [], strikes)

    def of_strike(self, strikes: Sequence[MapStrike], chosen: str) -> Story:
        """The story of one strike: who held what was hit; strikes on the same site or line are numbered after it."""
        first = next(strike for strike in strikes if strike.id == chosen)
        near = [s for s in strikes if s is not first and (s.lines & first.lines or s.assets & first.assets)]
        subjects = [(strike, region_class(strike)) for strike in (first, *sorted(near, key=_by_day))]
        known = {strike.id for strike, _ in subjects}
        others = [RankedStrike(strike, "other") for strike in strikes if strike.id not in known]
        title = self.words("title.strike", title=first.title, shares=self._largest(first))
        said = [self.words("subtitle.day", date=self.words.date(first.when)), *self._counted("near", len(near))]
        story = self._story(title, said, _numbered(subjects), others, strikes, dated=False)
        return replace(story, shares=first.owners, home=first.host)

    def _largest(self, strike: MapStrike) -> str:
        """Name the shares of the host and of the others together."""
        digits = digits_of(strike.sites)
        home = [(strike.host, strike.share(strike.host))] if strike.host and strike.share(strike.host).high else []
        far = [(owner, share) for owner, share in strike.owners if owner not in (strike.host, None)]
        rest = [(None, strike.share(None))] if strike.share(None).low >= _HALF else []
        parts = [*home, *far[: 3 - len(home)], *rest]
        return ", ".join(self.words.owner(owner, share, digits) for owner, share in parts)

    @property
    def _area(self) -> str:
        return self.scope or self.words("title.area")

    def _drafts(self, counted: Sequence[MapStrike]) -> list[str]:
        """Say how many of the strikes that the title counts are drafts."""
        return self._counted("drafts", sum(strike.status == "draft" for strike in counted))

    def _counted(self, code: str, number: int) -> list[str]:
        """Say a sentence of the subtitle with a number; nothing where there are none."""
        return [self.words(f"subtitle.{code}", n=number)] if number else []

    def _range(self, low: int, high: int) -> str:
        return str(low) if low == high else self.words("title.range", low=low, high=high).replace(" ", "\u00a0")

    def _story(
        self, title: str, said: list[str], numbered: list[RankedStrike], others: list[RankedStrike],
        strikes: Sequence[MapStrike], country: str = "", dated: bool = True,
    ) -> Story:  # fmt: skip
        if not strikes:
            return Story(self.words("title.nothing"), self.words("subtitle.incomplete"), [], [], [])
        said += self._span(strikes) if dated else []
        said += [self.words("subtitle.incomplete"), *self._counted("no-place", self.no_place)]
        return Story(title, " ".join(said), numbered, others, self._key([*numbered, *others], country))

    def _span(self, strikes: Sequence[MapStrike]) -> list[str]:
        days = sorted(str(strike.first_day) for strike in strikes if strike.first_day)
        if not days:
            return []
        first, last = (self.words.month(day[:7]) for day in (days[0], days[-1]))
        return [self.words("subtitle.month" if first == last else "subtitle.span", first=first, last=last)]

    def _key(self, strikes: Sequence[RankedStrike], country: str) -> list[tuple[StoryClass, str]]:
        counts = Counter(one.kind for one in strikes)
        # Beside one strike the others may well have its owners.
        text = {kind: "rest" if kind == "other" and not country else kind for kind in CLASSES}
        return [
            (kind, self.words("key.counted", text=self.words(f"key.{text[kind]}", country=country), n=counts[kind]))
            for kind in CLASSES
            if counts[kind]
        ]


def _numbered(ranked: Sequence[tuple[MapStrike, StoryClass]]) -> list[RankedStrike]:
    return [RankedStrike(strike, kind, number) for number, (strike, kind) in enumerate(ranked, 1)]


def _by_day(strike: MapStrike) -> tuple[str, str]:
    return str(strike.first_day or "9999"), strike.id


def _spot(strike: MapStrike) -> tuple[tuple[float, float], ...]:
    return tuple(place.point for place in strike.places)
