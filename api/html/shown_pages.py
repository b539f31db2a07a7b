"""What an address of this server shows: the page of a strike, a site, an owner or a country, or the map at a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from starlette.requests import Request

from api.exports.dossier.sections import length
from api.exports.text import counted, page_text, share, word, words
from api.html.addresses import href
from api.html.map_images import Picture, shared_picture
from api.html.published import (
    PageHead,
    PageSubject,
    citation_of,
    cited,
    embedded,
    map_address,
    oembed_address,
    page_address,
    strikes_pictures,
)
from api.html.subjects import asset_content, country_content, entity_content, strike_content
from api.http.links import base_address
from api.requests.map_view import MapView
from api.requests.query_parameters import parse_selection, parse_strike_conditions
from api.serializers.citation import Citation
from api.serializers.country import country_answer
from api.server.served_version import ServedVersion
from api.wording.catalogue import phrase, within_sentence
from api.wording.countries import country_names, name_in
from api.wording.dates import date_in_words
from api.wording.preference import language_of
from layers.model.messages import Message
from layers.model.problems import UnknownRecord
from layers.model.records import Asset, Entity
from layers.query.strike_counts import totals

#: Begin and end of the paths of pages, and their kinds.
_PATHS = (
    ("/collections/strikes/items/", "", "strike"),
    ("/strikes/", "/attribution", "strike"),
    ("/collections/assets/items/", "", "asset"),
    ("/assets/", "/owners", "asset"),
    ("/entities/", "/holdings", "entity"),
    ("/countries/", "", "country"),
)
_MAX_ADDRESS = 4096


class ShownPage(NamedTuple):
    """What an address shows: the kind of its page, the id of its subject, and the view of a map."""

    kind: str
    key: str = ""
    view: MapView = MapView()


def page_at(request: Request, address: str) -> ShownPage | None:
    """Read an address or a path of this server; ``None`` for another server, or a page that is not published so."""
    if address.startswith("/"):
        address = f"{base_address(request)}{address}"
    try:
        parts, own = urlsplit(address), urlsplit(base_address(request))
    except ValueError:  # as of a host that is half an IPv6 address
        return None
    if parts.scheme not in ("http", "https") or parts.netloc != own.netloc or len(address) > _MAX_ADDRESS:
        return None
    if not parts.path.startswith(f"{own.path}/"):
        return None
    path = unquote(parts.path.removeprefix(own.path))
    if path == "/map":
        return ShownPage("map", view=MapView.of_address(parts.query, parts.fragment))
    for begin, end, kind in _PATHS:
        key = path[len(begin) : len(path) - len(end)]
        if path.startswith(begin) and path.endswith(end) and len(key) > 0:
            return ShownPage(kind, key.upper() if kind == "country" else key)
    return None


def subject_at(request: Request, view: ServedVersion, page: ShownPage) -> PageSubject:
    """Say what a page is about.

    Raises
    ------
    UnknownRecord
        If it is about a record or country that is not there.
    """
    if page.kind == "map":
        return _view_subject(request, view, page.view)
    snapshot = view.snapshot
    if page.kind == "country":
        answer = country_answer(snapshot, page.key, "registration", "stay")
        return country_content(request, view, answer).subject
    if page.kind == "strike":
        return strike_content(request, view, page.key).subject
    tables = {"asset": snapshot.records.assets, "entity": snapshot.records.entities}
    if page.key not in tables[page.kind]:
        raise UnknownRecord(Message(f"record.no-{page.kind}", {"id": page.key[:160]}))
    content = asset_content if page.kind == "asset" else entity_content
    return content(request, view, page.key).subject


def citation_at(request: Request, view: ServedVersion, page: ShownPage) -> Citation:
    """Cite what an address shows.

    Raises
    ------
    UnknownRecord
        If it is about a record or country that is not there.
    """
    subject = subject_at(request, view, page)
    if subject.kind == "map":
        return cited(request, view, subject.title, address_of(request, page), None)
    return citation_of(request, view, subject)


def address_of(request: Request, page: ShownPage) -> str:
    """Return the permanent address of what an address shows."""
    return href(request, "/map", **page.view.query()) if page.kind == "map" else page_address(request, *page[:2])


def embedded_at(request: Request, page: ShownPage) -> str:
    """Return the address of the map that shows a page within another one."""
    address = href(request, "/map", **page.view.query()) if page.kind == "map" else map_address(request, *page[:2])
    return embedded(address)


def map_head(request: Request, view: ServedVersion, shown: MapView) -> PageHead:
    """Give the head of the map at a view: its title says the selection in words."""
    page = ShownPage("map", view=shown)
    subject = _view_subject(request, view, shown)
    address = address_of(request, page)
    drawn: Sequence[Picture] = strikes_pictures(request, view, _chosen(view, shown))
    picture = drawn[0] if drawn else shared_picture(request)
    return PageHead(subject.title, subject.description, address, picture, oembed_address(request, address))


def _chosen(view: ServedVersion, shown: MapView) -> Mapping[str, str]:
    """The strike that is open, else the selected ones."""
    strike = shown.strike
    return {"id": strike} if strike and strike in view.snapshot.records.strikes else shown.parameters()


def _view_subject(request: Request, view: ServedVersion, shown: MapView) -> PageSubject:
    if shown.strike in view.snapshot.records.strikes:
        return strike_content(request, view, str(shown.strike)).subject._replace(kind="map")
    query, snapshot, language = shown.parameters(), view.snapshot, language_of(request)
    selection = parse_selection(query, snapshot.collections["strikes"])
    total = totals(snapshot.collections, snapshot.registers, selection, parse_strike_conditions(query))
    possible = total.strikes - total.sure
    first = possible if shown.certainty == "possible" else total.sure
    title = ", ".join([counted("count", first, language), *_said(view, shown, language)])
    if possible and not shown.certainty:
        # As the page says it: whether it is their days alone that leave it open.
        name = "mayFall" if total.across + total.undated == possible else "mayCount"
        title += f"; {counted(name, possible, language)}"
    return PageSubject("map", "", title, f"{title}. {phrase('html.base.description', language)}")


def _said(view: ServedVersion, shown: MapView, language: str) -> list[str]:
    """Word what a view selects by, as `static/sentence.js` does."""

    def small(prefix: str, value: str) -> str:
        return within_sentence(word(prefix, value, language), language)

    between = page_text("and", language)
    kinds = between.join(small("group", kind) for kind in shown.kinds)
    site = _name(view.snapshot.records.assets, shown.asset, language)
    said = [
        date_in_words(f"{shown.since or '..'}/{shown.until or '..'}", language) if shown.since or shown.until else "",
        _tie(view, shown, language),
        page_text("saidAsset", language, name=site) if shown.asset else "",
        page_text("saidText", language, text=shown.q) if shown.q else "",
        page_text("saidKinds", language, list=kinds) if kinds else "",
        page_text("saidCommodity", language, name=words("commodity", shown.commodity, language))
        if shown.commodity
        else "",
        page_text("saidWeapon", language, name=small("weapon", shown.weapon)) if shown.weapon else "",
        between.join(small("status", status) for status in shown.status),
        _place(shown.within, language) if shown.within else "",
        page_text(f"said{shown.rests_on}", language) if shown.rests_on else "",
        page_text(f"saidonly{shown.certainty}", language) if shown.certainty else "",
    ]
    return [part for part in said if part]


def _place(within: str, language: str) -> str:
    if within == "none":
        return page_text("saidNoPlace", language)
    return page_text("saidWithin", language, length=length(int(within), language))


def _tie(view: ServedVersion, shown: MapView, language: str) -> str:
    names, entities = country_names(view.snapshot.country_names, language), view.snapshot.records.entities
    country = names.get(shown.country, shown.country) if shown.country else None
    owner = _name(entities, shown.owner, language) if shown.owner else None
    who = page_text("and", language).join(name for name in (country, owner) if name)
    by = "By" if owner else ""
    if not who:
        return ""
    if shown.role == "owner" and shown.min_share:
        least = share(shown.min_share, shown.min_share, language=language)
        return page_text(f"saidOwnedLeast{by}", language, who=who, share=least)
    if shown.role == "owner":
        return page_text(f"saidOwned{by}", language, who=who)
    if shown.role in ("control", "host", "related"):
        return page_text(f"said{shown.role}{by}", language, who=who)
    return page_text("saidTie", language, who=who, tie=word("relation", shown.role, language))


def _name(records: Mapping[str, Asset] | Mapping[str, Entity], key: str | None, language: str) -> str:
    record = records.get(key or "")
    return name_in(record, language) if record is not None else str(key)
