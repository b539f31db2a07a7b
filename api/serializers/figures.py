"""Codes of printed figures: what a figure shows, of which change and day, and a digest of the answer behind it.

A code reads ``SUBJECT.hHEAD.YYYYMMDD.DIGEST``, such as
``AZ.h9f3c2a7b10d4e5f6.20261126.k5xq-2mfa-7c3d-wz4e-n6yt-b2ra-hq5s``: the subject, the first 16 hexadecimal digits of
the hash of the last published change, the day of the data, and 140 bits, in base 32 (RFC 4648), of the SHA-256
(FIPS 180-4) of the JSON array of subject, whole hash, day and SHA-256 of the answer, which is JSON with its keys in
order and without white space. In the hash are 32 random bytes that the store keeps to itself: the code gives nothing
away.

Codes from before read ``SUBJECT.sSEQ.YYYYMMDD.DIGEST``: the number of the last change, and 10 hexadecimal digits of the
SHA-256 of the answer. Two answers of one such code are made in seconds.

The subject is a country, strikes joined by ``+``,
``map`` and a box in degrees with the parameters that select strikes in it (``map:28,45,33,48;country=AZ``), or
``strikes`` and parameters alone (``strikes:country=AZ;kind=refinery``), those without a place included;
``~headquarters`` and ``~follow`` after it name what is not the usual basis or rule of minorities.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, get_args

import orjson

from api.http.json import Json
from api.requests.crs import parse_bbox
from api.requests.parameters import BadParameter
from api.requests.query_parameters import parse_selection, parse_strike_conditions
from api.serializers.attribution import strike_answer
from api.serializers.country import country_answer
from geo.columnar.lazy_array import to_numpy
from layers.collections.geometry_index import Box
from layers.model.types import CountryBasis
from layers.ownership.minority import Minority
from layers.query.selection import rows
from layers.query.strike_truth import narrowed
from layers.snapshot.snapshot import Snapshot
from layers.store.history_chain import Head

#: Characters of the digest, of 5 bits each, those of a group, and hexadecimal digits of codes from before.
_CHARACTERS, _GROUP, _WEAK = 28, 4, 10
_DECIMALS = 4
_CODE = re.compile(
    r"(?P<subject>.{1,4000})\.(?P<change>s[0-9]{1,15}|h[0-9a-f]{16})\.(?P<day>[0-9]{8})\."
    r"(?P<digest>[0-9a-f]{10}|[a-z2-7]{4}(-[a-z2-7]{4}){6})",
    re.ASCII,
)
_COUNTRY = re.compile("[A-Z]{2}")
_MAP, _SELECTED = "map:", "strikes:"
#: Parameters of strikes that a map may be narrowed by, in the order in which a code has them.
MAP_PARAMETERS = ("datetime", "country", "relation", "entity", "assets", "kind")
EXAMPLE = "AZ.h9f3c2a7b10d4e5f6.20261126.k5xq-2mfa-7c3d-wz4e-n6yt-b2ra-hq5s"
_EXPECTED = f"a code as it stands under a figure, such as {EXAMPLE}"


@dataclass(frozen=True, slots=True)
class FigureSubject:
    """What a figure shows: a country, some strikes, or those that a box or parameters select.

    The box is west, south, east, north in degrees; ``selected`` are the parameters by name and value.
    """

    country: str | None = None
    strikes: tuple[str, ...] = ()
    box: Box | None = None
    selected: tuple[tuple[str, str], ...] = ()
    basis: CountryBasis = "registration"
    minority: Minority = "stay"

    @classmethod
    def of_box(cls, box: Box, selected: Mapping[str, str] | None = None) -> FigureSubject:
        """The strikes on a map of a box, which is widened to the four decimals that a code has."""
        west, south, east, north = (edge * 10**_DECIMALS for edge in box)
        wider = (math.floor(west), math.floor(south), math.ceil(east), math.ceil(north))
        west, south, east, north = (edge / 10**_DECIMALS for edge in wider)
        wide = (max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0))
        return cls(box=wide, selected=_in_order(selected or {}))

    @classmethod
    def of_selection(
        cls, selected: Mapping[str, str], basis: CountryBasis = "registration", minority: Minority = "stay"
    ) -> FigureSubject:
        """The strikes that parameters select, wherever they were; all strikes without parameters."""
        return cls(selected=_in_order(selected), basis=basis, minority=minority)

    def __str__(self) -> str:
        selected = ";".join(f"{name}={value}" for name, value in self.selected)
        where = _SELECTED + selected
        if self.box is not None:
            edges = ",".join(f"{edge:.{_DECIMALS}f}".rstrip("0").rstrip(".") for edge in self.box)
            where = _MAP + ";".join((edges, *((selected,) if selected else ())))
        name = self.country or "+".join(self.strikes) or where
        basis = "" if self.basis == "registration" else f"~{self.basis}"
        return name + basis + ("" if self.minority == "stay" else f"~{self.minority}")

    @classmethod
    def parse(cls, text: str) -> FigureSubject:
        """Read a subject.

        Raises
        ------
        BadParameter
            If its box is none, or an option is not known.
        """
        name, *options = text.split("~")
        known: dict[str, Any] = {one: {"basis": one} for one in get_args(CountryBasis)}
        known |= {one: {"minority": one} for one in get_args(Minority)}
        if not name or any(option not in known for option in options):
            raise BadParameter("code", text, _EXPECTED)
        given: dict[str, Any] = {}
        for option in options:
            given |= known[option]
        if name.startswith(_MAP):
            box, *selected = name.removeprefix(_MAP).split(";")
            return cls(box=parse_bbox(box).box, selected=_pairs(selected, text), **given)
        if name.startswith(_SELECTED):
            selected = name.removeprefix(_SELECTED).split(";")
            return cls(selected=() if selected == [""] else _pairs(selected, text), **given)
        if _COUNTRY.fullmatch(name):
            return cls(country=name, **given)
        return cls(strikes=tuple(name.split("+")), **given)


def _in_order(selected: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, selected[name]) for name in MAP_PARAMETERS if name in selected)


def _pairs(selected: Iterable[str], text: str) -> tuple[tuple[str, str], ...]:
    pairs = tuple((one.partition("=")[0], one.partition("=")[2]) for one in selected)
    if any(key not in MAP_PARAMETERS or not value for key, value in pairs):
        raise BadParameter("code", text, _EXPECTED)
    return pairs


@dataclass(frozen=True, slots=True)
class FigureCode:
    """The code of a figure. ``change`` is ``h`` and digits of a hash, or ``s`` and the number of a change."""

    subject: FigureSubject
    change: str
    day: date
    digest: str

    def __str__(self) -> str:
        return f"{self.subject}.{self.change}.{self.day:%Y%m%d}.{self.digest}"

    @property
    def is_weak(self) -> bool:
        """Whether it is of the form from before, of which two answers with one code can be made."""
        return self.change.startswith("s")

    @classmethod
    def of(cls, snapshot: Snapshot, subject: FigureSubject, head: Head, day: date | None = None) -> FigureCode:
        """The code of a figure of a subject, drawn from a version of the data, of which ``head`` is the last change.

        Raises
        ------
        UnknownRecord
            If a strike or country of the subject is not there.
        """
        return cls.bound(subject, head, day or snapshot.data_date, digest_of(figure_content(snapshot, subject)))

    @classmethod
    def bound(cls, subject: FigureSubject, head: Head, day: date, content: str) -> FigureCode:
        """The code of an answer of a digest, as `digest_of` gives it, bound to the history up to a change."""
        text = orjson.dumps([str(subject), head.hash, day.isoformat(), content])
        characters = base64.b32encode(hashlib.sha256(text).digest()).decode().lower()[:_CHARACTERS]
        groups = (characters[start : start + _GROUP] for start in range(0, _CHARACTERS, _GROUP))
        return cls(subject, f"h{head.digits}", day, "-".join(groups))

    def rebuilt(self, snapshot: Snapshot, head: Head) -> FigureCode:
        """The code that the same figure has when it is built again, in the form of this one."""
        if not self.is_weak:
            return FigureCode.of(snapshot, self.subject, head, self.day)
        return replace(self, digest=digest_of(figure_content(snapshot, self.subject))[:_WEAK])

    @classmethod
    def is_code(cls, text: str) -> bool:
        """Whether a text is built as a code is."""
        return _parts(text) is not None

    @classmethod
    def parse(cls, text: str) -> FigureCode:
        """Read a code.

        Raises
        ------
        BadParameter
            If it is none.
        """
        read = _parts(text)
        try:
            if read is not None:
                day = datetime.strptime(read["day"], "%Y%m%d").date()
                return cls(FigureSubject.parse(read["subject"]), read["change"], day, read["digest"])
        except BadParameter as error:
            raise BadParameter("code", text, _EXPECTED) from error
        except ValueError:
            pass  # no day of the calendar
        raise BadParameter("code", text, _EXPECTED)


def _parts(text: str) -> re.Match[str] | None:
    """The parts of a code, of either form; ``None`` of any other text."""
    read = _CODE.fullmatch(text.strip())
    return read if read and (read["change"][0] == "s") == (len(read["digest"]) == _WEAK) else None


def digest_of(content: Json) -> str:
    """The SHA-256 of an answer, in hexadecimal digits."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def figure_content(snapshot: Snapshot, subject: FigureSubject) -> Json:
    """The answer that a figure is based on.

    Raises
    ------
    UnknownRecord
        If a strike or country of the subject is not there.
    """
    if subject.country is not None:
        return country_answer(snapshot, subject.country, subject.basis, subject.minority)
    if not subject.strikes:
        layer = snapshot.collections["strikes"]
        return {"strikes": [_undated(orjson.loads(layer.fragments[row])) for row in _selected(snapshot, subject)]}
    answers = (snapshot.answer(key, subject.basis, subject.minority) for key in subject.strikes)
    return {"strikes": [strike_answer(snapshot, answer) for answer in answers]}


def _undated(feature: Json) -> Json:
    """Leave out when a feature was last changed, which a version that is built again from history does not have."""
    properties = {name: value for name, value in feature["properties"].items() if name != "updated"}
    return {**feature, "properties": properties}


def strikes_of_figure(snapshot: Snapshot, subject: FigureSubject) -> Iterable[str]:
    """Ids of the strikes that a figure shows."""
    if subject.country is not None:
        return [one.strike.id for one in snapshot.concerning(subject.country, subject.basis, subject.minority)]
    if not subject.strikes:
        layer = snapshot.collections["strikes"]
        return [layer.ids[row] for row in _selected(snapshot, subject)]
    return subject.strikes


def _selected(snapshot: Snapshot, subject: FigureSubject) -> Iterable[int]:
    """Rows of the strikes of a box or of parameters, by the selection that answers a request with them."""
    layer = snapshot.collections["strikes"]
    if not subject.selected and subject.box is not None:
        return layer.select(subject.box)
    return selected_rows(snapshot, dict(subject.selected), subject.box)


def selected_rows(snapshot: Snapshot, query: Mapping[str, str], box: Box | None = None) -> list[int]:
    """Rows of the strikes that parameters of the collection select.

    Parameters
    ----------
    query
        Such as ``datetime``, ``country`` and ``kind``, as a request names them.
    box
        West, south, east, north in degrees; it selects no strikes without a place.

    Raises
    ------
    BadParameter
        With the first parameter that cannot be read.
    """
    layer = snapshot.collections["strikes"]
    selection = replace(parse_selection(query, layer), bbox=box, include_without_geometry=box is None)
    chosen = narrowed(snapshot.collections, snapshot.registers, selection, parse_strike_conditions(query))
    return sorted(to_numpy(rows(layer, chosen)).tolist())
