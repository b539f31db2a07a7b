"""``strikeatlas export report``: all that the atlas holds of some strikes, as PDF, DOCX or Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import shapely
import typer

from api.cli.common import BasisOption, MinorityOption, progress_bar
from api.cli.corrections import entries_of
from api.cli.export import (
    AssetOption,
    BoxOption,
    CountryOption,
    DatetimeOption,
    EntityOption,
    Export,
    KindOption,
    LanguageOption,
    RelationOption,
    basemap_archive,
    box_of,
    country_of,
    format_of,
    sheet_origin,
    stated,
)
from api.exports.errors import ExportError
from api.exports.printed_map.map_strikes import box_around, map_lines, map_strikes
from api.http.json import Json
from api.requests.parameters import Days, parse_days
from api.serializers.attribution import strike_answer
from api.serializers.corrections import entry_values, sentences
from api.serializers.figures import FigureCode, FigureSubject, digest_of, selected_rows
from api.serializers.policy import summary
from api.serializers.selection import selection_answer
from api.terminal.console import counted
from api.wording.catalogue import phrase
from api.wording.countries import country_names, name_in
from layers.attribution.attribute import StrikeAttribution
from layers.collections.geometry_index import Box
from layers.corrections.concerned import records_of_answer
from layers.corrections.log import CorrectionsQuery, PublishedVersion
from layers.model.types import CountryBasis
from layers.ownership.minority import Minority
from layers.snapshot.snapshot import Snapshot
from layers.store.store import Store

if TYPE_CHECKING:
    from api.exports.dossier.dossier_map import DossierMap
    from api.exports.dossier.parts import Dossier

EXAMPLE = "--country AZ --lang de -o azerbaijan.pdf"
DossierFormat = Literal["pdf", "docx", "md"]


def dossier(
    export: Export,
    bbox: BoxOption = None,
    datetime: DatetimeOption = None,
    country: CountryOption = None,
    relation: RelationOption = None,
    entity: EntityOption = None,
    asset: AssetOption = None,
    kind: KindOption = None,
    strikes: Annotated[list[str] | None, typer.Option("--strike", help="A strike, more than once for several.")] = None,
    fmt: Annotated[
        DossierFormat | None,
        typer.Option("--format", help="PDF/UA, Word document or Markdown.", show_default="that of the name, or pdf"),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title instead of the one that follows from the selection.")] = None,
    basis: BasisOption = "registration",
    minority: MinorityOption = "stay",
    language: LanguageOption = "en",
    address: Annotated[
        str, typer.Option(help="Where the atlas is published; permalinks begin with it.", metavar="URL")
    ] = "",
) -> None:
    """Write a dossier of strikes: whose they were with bounds, map, capacity, timeline, chains, claims, sources."""
    from api.exports.dossier import content
    from api.exports.dossier.dossier_map import dossier_map
    from api.exports.printed_map.sheet import MapOrder

    fmt = format_of(export.out, fmt, get_args(DossierFormat))
    opened, version = export.published
    snapshot, box = version.snapshot, box_of(bbox)
    country = country_of(country)
    query = stated(datetime=datetime, country=country, relation=relation, entity=entity, assets=asset, kind=kind)
    if strikes and (query or box):
        raise ExportError("expected strikes, or what selects them; got both")
    names = snapshot.collections["strikes"].ids
    keys = strikes or [names[row] for row in selected_rows(snapshot, query, box)]
    chosen = [snapshot.answer(key, basis, minority) for key in keys]
    owner = country if relation in (None, "owner") else None
    period = parse_days(datetime) if datetime else Days()
    selection = selection_answer(snapshot, chosen, owner, period, language)
    code = _code(version, strikes, query, box, basis, minority)
    drawn = map_strikes(snapshot.records, chosen, language)
    places = [shapely.Point(place.point) for one in drawn.strikes for place in one.places]
    origin = sheet_origin(version, code, drawn.left_out, language)
    picture = None
    if places:
        order = MapOrder(
            bbox=box or box_around(places), fmt="pdf", language=language, country=owner,
            scope=phrase("print.title.dossier", language),
            origin=replace(origin, remarks=summary(version.disclosure, language), retracted=0),
        )  # fmt: skip
        lines = map_lines(snapshot.records, language)
        picture = dossier_map(drawn.strikes, lines, snapshot.basemap, basemap_archive(export.base), order)
    listed = content.map_order(picture.drawn if picture else [], selection)
    listed = listed or [one.strike.id for one in chosen]
    wanted = content.DossierOrder(
        strikes=listed,
        language=language,
        countries=country_names(snapshot.country_names, language),
        code=str(code),
        head=version.head.hash,
        day=snapshot.data_date,
        basis=basis,
        minority=minority,
        subject=_subject(snapshot, query, language),
        title=title,
        remarks=summary(version.disclosure, language),
        grid=origin.grid,
        corrections=_corrections(opened, version, listed, language),
        address=address.rstrip("/"),
    )
    answers, cited = {one.strike.id: one for one in chosen}, set[str]()
    with progress_bar("Writing the dossier") as progress:
        progress.update(progress.task_ids[0], total=len(listed))

        def each() -> Iterator[tuple[Json, str]]:
            for key in listed:
                answer, digest = _answer(snapshot, answers[key], language)
                cited.update(answer["sources"])
                own = FigureSubject(strikes=(key,), basis=basis, minority=minority)
                yield answer, str(FigureCode.bound(own, version.head, snapshot.data_date, digest))
                progress.advance(progress.task_ids[0])

        whole = content.dossier(selection, each(), picture.part if picture else None, wanted)
    options = {
        **query, "bbox": box, "strike": strikes, "format": fmt, "title": title, "basis": basis, "minority": minority,
        "lang": language, "address": address or None,
    }  # fmt: skip
    export.write(_written(whole, picture, fmt), options, cited, code, suffix=f".{fmt}")


def _written(whole: Dossier, picture: DossierMap | None, fmt: str) -> bytes:
    """The file of a dossier; of the writers that one is imported that is needed."""
    if fmt == "pdf":
        from api.exports.dossier.pdf_writer import pdf

        return pdf(whole, picture.svg if picture else "")
    if fmt == "docx":
        from api.exports.dossier.docx_writer import docx

        return docx(whole, picture.png() if picture else b"")
    from api.exports.dossier.markdown_writer import markdown

    return markdown(whole, picture.png() if picture else b"").encode()


def _code(
    version: PublishedVersion,
    strikes: Sequence[str] | None,
    query: Mapping[str, str],
    box: Box | None,
    basis: CountryBasis,
    minority: Minority,
) -> FigureCode:
    """The code of the whole dossier.

    Raises `ExportError` if so many strikes are named that a code of them cannot be read again.
    """
    if strikes:
        subject = FigureSubject(strikes=tuple(dict.fromkeys(strikes)), basis=basis, minority=minority)
    elif box is not None:
        subject = replace(FigureSubject.of_box(box, query), basis=basis, minority=minority)
    else:
        subject = FigureSubject.of_selection(query, basis, minority)
    code = FigureCode.of(version.snapshot, subject, version.head)
    if not FigureCode.is_code(str(code)):
        raise ExportError(f"expected fewer strikes, or what selects them; got {counted(len(strikes or ()), 'strikes')}")
    return code


def _answer(snapshot: Snapshot, struck: StrikeAttribution, language: str) -> tuple[Json, str]:
    """The whole answer to a strike in a language, and the digest of the English one, which its code has."""
    english = strike_answer(snapshot, struck)
    said = english if language == "en" else strike_answer(snapshot, struck, language)
    return said, digest_of({"strikes": [english]})


def _subject(
    snapshot: Snapshot, query: Mapping[str, str], language: str
) -> tuple[Literal["country", "entity", "asset"], str] | None:
    """What alone selects the strikes, apart from days, and its name."""
    records, about = snapshot.records, query.keys() - {"datetime", "relation"}
    if query.get("relation", "owner") != "owner" or len(about) != 1:
        return None
    if "country" in about:
        iso = query["country"]
        return "country", country_names(snapshot.country_names, language).get(iso, iso)
    if "entity" in about and (entity := records.entities.get(query["entity"])):
        return "entity", name_in(entity, language)
    if "assets" in about and (asset := records.assets.get(query["assets"])):
        return "asset", name_in(asset, language)
    return None


def _corrections(opened: Store, version: PublishedVersion, strikes: Sequence[str], language: str) -> list[Json]:
    """What changed after publication in the records that the answers to strikes are based on: the newest first."""
    keys = frozenset(key for strike in strikes for key in records_of_answer(version.snapshot, strike))
    queries = [CorrectionsQuery(keys=keys, kind=kind) for kind in ("correction", "retraction")]
    entries = chain.from_iterable(entries_of(opened, version, query) for query in queries)
    newest = sorted(entries, key=lambda entry: -entry.seq)
    return [{**entry_values(entry, language), "sentences": sentences(entry, language)} for entry in newest]
