"""Pages that are cited: what a strike, a site, an owner or a country says, and what that is based on, in one order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
import shapely
from markupsafe import Markup, escape
from starlette.requests import Request

from api.exports.text import counted, page_text, with_country_names
from api.html.addresses import href
from api.html.map_images import WHOLE, Picture, pictures, shared_picture
from api.http import links
from api.http.json import Json
from api.http.links import item_path
from api.requests.corrections_query import corrections_query
from api.requests.query_parameters import parse_selection, parse_strike_conditions
from api.serializers.citation import Citation
from api.serializers.corrections import title as correction_title
from api.serializers.figures import FigureCode, FigureSubject
from api.serializers.policy import attribution_text
from api.server.live_snapshot import LiveSnapshot
from api.server.served_version import ServedVersion
from api.wording.catalogue import phrase
from api.wording.countries import country_names
from api.wording.dates import date_in_words
from api.wording.preference import language_of
from api.wording.strikes import strike_title
from geo.columnar.lazy_array import to_numpy
from layers.collections.collection import Collection, Rows
from layers.collections.geometry_index import Box
from layers.corrections.log import CorrectionEntry, EntryKind
from layers.model.records import Source
from layers.query.selection import rows
from layers.query.strike_counts import StrikeTotals, totals
from layers.query.strike_truth import narrowed
from layers.store.history_chain import Head
from layers.store.history_pages import RecordKey

#: Strikes of a table on a page; all of them are one link away.
MAX_STRIKES = 100
#: Corrections that a page names; all of them are one link away.
_MAX_CORRECTIONS = 5
_CORRECTIONS: Sequence[EntryKind] = ("correction", "retraction")
#: Strikes that count: retracted ones are left out, as on the map.
COUNTED: Mapping[str, str] = {"filter": "status <> 'retracted'"}
_ORDER = "-day_last,title"
#: Formats of a file of the strikes of a page, by what the address calls them.
FILE_FORMATS = ("csv", "json", "gpkg")
#: Formats of a citation besides words.
CITATION_FORMATS = ("bibtex", "ris", "csl")
#: Name under which a scope has the `CitedVersion` of a page that says what it said of an earlier version.
CITED = "strikeatlas.cited"


class PageSubject(NamedTuple):
    """What a page is about: its kind (strike, asset, entity, country), its id, and what the page says in one line."""

    kind: str
    key: str
    title: str
    description: str


class CitedVersion(NamedTuple):
    """The version of the data that a page is cited by: its last published change, and its day."""

    head: Head
    day: date


class NumberedSource(NamedTuple):
    """A source under its number: its words, its address, that of a copy, its licence."""

    number: int
    words: str
    address: str | None
    copy: str | None
    licence: str | None


class SubjectStrikes(NamedTuple):
    """The strikes of a site, an owner or a country: tables of those that are sure and that may be, why, and files."""

    tables: Sequence[Json]
    total: StrikeTotals
    why: str
    files: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class SubjectContent:
    """What a page says of its subject, before what all pages have; chains, claims and ties are rows of the template."""

    subject: PageSubject
    answer: Sequence[str]
    facts: Sequence[tuple[str, str]]
    chains: Sequence[Json] = ()
    claims: Sequence[Json] = ()
    sources: Sequence[NumberedSource] = ()
    unknown: Sequence[str] = ()
    withheld: Sequence[str] = ()
    strikes: SubjectStrikes | None = None
    ties: Sequence[Json] = ()


@dataclass(frozen=True)
class PageHead:
    """What the head of a page says to programs: title, description, its own address, a picture, and data."""

    title: str
    description: str
    canonical: str
    picture: Picture | None
    oembed: str | None
    data: Markup | None = None


def linked_data(content: Json) -> Markup:
    """Write JSON for a script element: no text of it can end the element or begin a comment."""
    text = json.dumps(content, separators=(",", ":"))  # in ASCII
    for sign in "<>&\x7f":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def map_address(request: Request, kind: str, key: str) -> str:
    """Return the address of the map at a strike, or at the strikes of a site, an owner or a country."""
    name = {"entity": "owner"}.get(kind, kind)
    return href(request, "/map", **{name: key})


def page_address(request: Request, kind: str, key: str) -> str:
    """Return the address by which the page of a subject is cited."""
    paths = {
        "strike": item_path("strikes", key),
        "asset": item_path("assets", key),
        "entity": f"/entities/{item_path('', key).rpartition('/items/')[2]}/holdings",
        "country": f"/countries/{key}",
    }
    return href(request, paths[kind])


def subject_strikes(request: Request, view: ServedVersion, parameters: Mapping[str, str]) -> SubjectStrikes:
    """List the strikes that parameters select, those that surely satisfy them apart from those that may.

    ``parameters``: those of the strikes, such as ``country``; what is retracted is left out.
    """
    collection, language = view.snapshot.collections["strikes"], language_of(request)
    query = {**parameters, **COUNTED, "sortby": _ORDER}
    read = (view.snapshot.collections, view.snapshot.registers, parse_selection(query, collection))
    total = totals(*read, parse_strike_conditions(query))
    counts = {"sure": total.sure, "possible": total.strikes - total.sure}
    tables: list[Json] = []
    for certainty, count in counts.items():
        if count:
            chosen = {**query, "certainty": certainty}
            listed = _strike_rows(request, view, chosen)
            address = href(request, "/collections/strikes/items", **chosen, f="html")
            tables.append({"certainty": certainty, "rows": listed, "total": count, "address": address})
    reasons = [
        counted(f"why{name}", number, language)
        for name in ("drafts", "undated", "across", "unsettled")
        if (number := getattr(total, name))
    ]
    limit = request.app.state.settings.limit_max
    has_files = 0 < total.strikes <= limit and links.is_answered(
        request, "/collections/strikes/items", **query, f="csv"
    )
    files = (
        [(form, strikes_file(request, {**parameters, **COUNTED}, form)) for form in FILE_FORMATS] if has_files else ()
    )
    return SubjectStrikes(tables, total, ", ".join(reasons), files)


def strikes_file(request: Request, parameters: Mapping[str, str], form: str) -> str:
    """Return the address of a file of the strikes that parameters select, all of them up to the limit of an answer."""
    limit = request.app.state.settings.limit_max
    return links.href(request, "/collections/strikes/items", **{**parameters, "f": form, "limit": limit})


def _selected_rows(view: ServedVersion, query: Mapping[str, str]) -> Rows:
    """Return the rows of the strikes that parameters select, in their order."""
    snapshot = view.snapshot
    selection = parse_selection(query, snapshot.collections["strikes"])
    wanted = narrowed(snapshot.collections, snapshot.registers, selection, parse_strike_conditions(query))
    return to_numpy(rows(snapshot.collections["strikes"], wanted))


def _strike_rows(request: Request, view: ServedVersion, query: Mapping[str, str]) -> list[Json]:
    collection, language = view.snapshot.collections["strikes"], language_of(request)
    shown = _selected_rows(view, query)[:MAX_STRIKES]
    countries = country_names(view.snapshot.country_names, language)
    listed = []
    for row in shown.tolist():
        feature: Any = collection.features[row]
        title = getattr(feature, f"title_{language}", None) or feature.title
        place = getattr(feature, f"place_{language}", None) or feature.place
        host = countries.get(feature.host_country or "", "")
        listed.append(
            {
                "address": href(request, item_path("strikes", feature.id)),
                "title": strike_title(title, feature.status, language),
                "when": date_in_words(feature.when, language),
                "place": ", ".join(part for part in (place, host) if part),
                "owners": with_country_names(feature.owners, countries, language),
            }
        )
    return listed


def corrections_of(request: Request, view: ServedVersion, keys: frozenset[RecordKey] | None) -> list[Json]:
    """List the last changes of records after they were first published; of a country, whose keys are none, nothing."""
    if not keys:
        return []
    atlas: LiveSnapshot = request.app.state.atlas
    entries: list[CorrectionEntry] = []
    for kind in _CORRECTIONS:
        query = corrections_query(keys=keys, kind=kind, limit=_MAX_CORRECTIONS)
        entries += atlas.corrections.page(view.published, query).entries
    newest = sorted(entries, key=lambda entry: -entry.seq)[:_MAX_CORRECTIONS]
    language = language_of(request)
    return [
        {
            "title": correction_title(entry, language),
            "at": date_in_words(str(entry.at)[:10], language),
            "address": href(request, f"/corrections/{entry.id}", f="html"),
        }
        for entry in newest
    ]


def numbered(number: int, source: Source, language: str) -> NumberedSource:
    """Word a source under its number."""
    published = date_in_words(source.published, language) if source.published else None
    words = ", ".join(part for part in (source.publisher, source.title, published) if part)
    return NumberedSource(number, words, _web(source.url), _web(source.archive_url), source.licence)


def _web(url: str | None) -> str | None:
    """Return an address that a link may lead to; ``None`` for any other."""
    return url if url is not None and url.lower().startswith(("http://", "https://")) else None


def citation_of(request: Request, view: ServedVersion, subject: PageSubject) -> Citation:
    """Cite the page of a subject, with the code of what it shows where there is one."""
    shown = {"strike": FigureSubject(strikes=(subject.key,)), "country": FigureSubject(country=subject.key)}
    address = page_address(request, subject.kind, subject.key)
    return cited(request, view, subject.title, address, shown.get(subject.kind))


def cited(request: Request, view: ServedVersion, title: str, address: str, shown: FigureSubject | None) -> Citation:
    """Cite an address of this version of the data, or of the earlier one since which its page says the same."""
    head, day = _cited_version(request, view)
    code = None if shown is None else str(FigureCode.of(view.snapshot, shown, head, day))
    return Citation(title, address, day, head.hash, code)


def _cited_version(request: Request, view: ServedVersion) -> CitedVersion:
    version: CitedVersion | None = request.scope.get(CITED)
    return version or CitedVersion(view.head, view.snapshot.data_date)


def _citation_file(request: Request, citation: Citation, form: str) -> str:
    """Return the address of a citation in a format: where no server answers, one that has it in itself (RFC 2397)."""
    if links.is_answered(request, "/cite", url=citation.address, f=form):
        return href(request, "/cite", url=citation.address, f=form)
    language = language_of(request)
    written = {"bibtex": citation.bibtex, "ris": citation.ris, "csl": lambda tag: citation.csl_json(tag).decode()}
    return f"data:text/plain;charset=utf-8,{quote(written[form](language))}"


def published(
    request: Request, view: ServedVersion, content: SubjectContent, keys: frozenset[RecordKey] | None
) -> Json:
    """Give the page of a subject what its template shows: the content, and what every page that is cited has.

    ``keys``: the records whose changes concern the page; ``None`` where they are too many to be listed.
    """
    subject, language = content.subject, language_of(request)
    citation = citation_of(request, view, subject)
    forms = [(form, _citation_file(request, citation, form)) for form in CITATION_FORMATS]
    address = map_address(request, subject.kind, subject.key)
    reused = {
        "cited": citation.text(language),
        "version": citation.version(language),
        "history": citation.history,
        "forms": forms,
        **_embedding(request, address),
        "corrections": corrections_of(request, view, keys),
        "all_corrections": href(request, "/corrections", **{subject.kind: subject.key}, f="html"),
        "licences": licences(request, view, content.sources),
    }
    return {"published": content, "reused": reused, "map_address": address}


def embedders_of(request: Request) -> tuple[str, ...] | None:
    """Return the origins whose pages may show the map, ``*`` being all; of files, whose server decides, ``None``."""
    embedders: tuple[str, ...] = request.app.state.settings.embedders
    return embedders if links.is_answered(request, "/oembed") else None


def _embedding(request: Request, address: str) -> Json:
    """Give the HTML that shows the map within another page and who may do so; no HTML where nobody may."""
    embedders, language = embedders_of(request), language_of(request)
    if embedders is None:
        where = page_text("embedFiles", language)
    else:
        where = "" if "*" in embedders else page_text("embedFor", language, origins=", ".join(embedders))
    return {"embed": None if embedders == () else iframe(embedded(address), 800, 520), "embed_for": where}


def oembed_address(request: Request, address: str) -> str | None:
    """Return the address of the oEmbed answer to a page; ``None`` where there is none."""
    return href(request, "/oembed", url=address, format="json") if embedders_of(request) else None


def embedded(address: str) -> str:
    """Return the address of the map to be shown within another page."""
    return f"{address}{'&' if '?' in address else '?'}embed=1"


def iframe(address: str, width: int, height: int) -> str:
    """Write the HTML that shows the map within another page."""
    size = f'width="{width}" height="{height}"'
    return f'<iframe src="{escape(address)}" {size} loading="lazy" title="StrikeAtlas"></iframe>'


def licences(request: Request, view: ServedVersion, sources: Sequence[NumberedSource]) -> list[str]:
    """Name the licence of the records, and those of the data that was taken from sources, each once."""
    own = attribution_text(request.app.state.settings.attribution, view.disclosure, language_of(request))
    return [own, *dict.fromkeys(source.licence for source in sources if source.licence)]


def head_of(
    request: Request, view: ServedVersion, content: SubjectContent, about: Json, shown: Sequence[Picture]
) -> PageHead:
    """Give the head of the page of a subject."""
    subject, language = content.subject, language_of(request)
    address, version = page_address(request, subject.kind, subject.key), _cited_version(request, view)
    data = {
        "@context": "https://schema.org",
        "@type": "WebPage",
        "name": subject.title,
        "description": subject.description,
        "url": address,
        "inLanguage": language,
        "isPartOf": {
            "@type": "Dataset",
            "name": "StrikeAtlas",
            "description": phrase("html.base.description", language),
            "url": href(request, "/"),
            "version": version.head.digits,
            "dateModified": version.day.isoformat(),
            "creditText": request.app.state.settings.attribution,
        },
        "about": about,
        "citation": [_cited_work(source) for source in content.sources],
    }
    if shown:
        data["primaryImageOfPage"] = {"@type": "ImageObject", "url": shown[0].address}
    return PageHead(
        subject.title,
        subject.description,
        address,
        shown[0] if shown else shared_picture(request),
        oembed_address(request, address),
        linked_data(data),
    )


def _cited_work(source: NumberedSource) -> Json:
    return {"@type": "CreativeWork", "name": source.words, **({"url": source.address} if source.address else {})}


def strikes_pictures(
    request: Request, view: ServedVersion, chosen: Mapping[str, str], sizes: Sequence[tuple[int, int]] = WHOLE
) -> list[Picture]:
    """Give pictures of the place of the strikes that parameters select; none where none of them has a place."""
    query = {**COUNTED, **chosen}
    bounds = bounds_of(view.snapshot.collections["strikes"], _selected_rows(view, query))
    return pictures(request, "strikes", bounds, query, sizes)


def bounds_of(collection: Collection, selected: Rows | Sequence[int]) -> Box | None:
    """Return the bounds of rows in degrees; ``None`` where none has a place."""
    shapes = collection.shapes_at(np.asarray(selected, np.int64))
    if not len(shapes) or np.isnan(edges := shapely.total_bounds(shapes)).any():
        return None
    west, south, east, north = edges.tolist()
    return west, south, east, north
