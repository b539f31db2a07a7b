"""HTML pages, one for each resource, with all that its JSON says; data goes in as text, never as HTML."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, get_args

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request

from api.exports.text import amount, page_text, word
from api.html import documents, features, schemas, subjects
from api.html.addresses import answered, href, leads_somewhere
from api.html.documents import plain
from api.html.map_images import pictures
from api.html.published import PageHead
from api.http.common_headers import FILE_SECURITY_POLICY
from api.http.json import Json
from api.http.links import FILES, base_address
from api.serializers.policy import attribution_text
from api.server.served_version import ServedVersion
from api.wording import catalogue
from api.wording.catalogue import ENGLISH, formatted, phrase, within_sentence
from api.wording.countries import country_names, name_in
from api.wording.dates import date_in_words
from api.wording.preference import language_of
from layers.collections.collection import Collection
from layers.model.types import CountryBasis
from layers.ownership.minority import Minority
from layers.reference.basemap import ATTRIBUTION

_FOLDER = Path(__file__).parent / "templates"
#: Characters that HTML may not hold (WHATWG HTML, 13.2.3.5), and halves of characters.
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)
#: Controls of the direction of text, which a title has no element to hold together.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
#: Begin and end of description and title of a page of ``static/``.
_PAGE_HEAD = ('<meta name="description"', "</title>\n")
_SCHEMAS = ("queryables", "sortables", "schema")
#: Kinds of pages that list all members of an answer; those of a country and of an owner say what follows first.
_ANSWERS = ("answer", "country", "entity")
#: Ways to count that a reader chooses between, by the parameter.
_CHOICES = {"basis": get_args(CountryBasis), "minority": get_args(Minority)}
#: Values of parameters that an address need not name.
_DEFAULTS = (None, "registration", "stay")
#: Functions that give the pages of a collection and of its features what their JSON lacks.
_CONTEXTS: Mapping[str, Callable[[Request, ServedVersion, Collection, Json], Json]] = {
    "collection": schemas.of_collection,
    "items": features.of_items,
    "item": features.of_item,
}


def page(request: Request, view: ServedVersion, kind: str, document: Json) -> bytes:
    """Write the page of a resource, in the language of the request.

    Parameters
    ----------
    kind
        landing, definition, conformance, collections, collection, items, item, queryables, sortables, schema,
        styles, connect, method, corrections, countries, country, entity, publication, or answer for any other.
    """
    collection = view.snapshot.collections.get(request.path_params.get("collection", ""))
    context = {
        "collections": view.snapshot.collections,
        "collection": collection,
        "trail": _trail(request, view, kind, collection, document),
        "attribution": attribution_text(request.app.state.settings.attribution, view.disclosure, language_of(request)),
        **_context(request, view, kind, collection, document),
    }
    template = "schema" if kind in _SCHEMAS else "answer" if kind in _ANSWERS else kind
    return _rendered(request, template, document, {"kind": kind, **context})


def problem(request: Request, document: Json) -> bytes:
    """Write the page of an error, given as problem details (RFC 9457)."""
    return _rendered(request, "problem", document, {"kind": "problem", "trail": [(str(document["title"]), None)]})


def translated(source: str, language: str) -> str:
    """Put the language and the sentences of a page of ``static/`` into a language: those of ``html.static``."""
    text = source.replace(f'<html lang="{ENGLISH}">', f'<html lang="{language}">', 1)
    text = text.replace(f"static/text.{ENGLISH}.json", f"static/text.{language}.json")
    # The longest first, as one may be part of another.
    for code in sorted(catalogue.codes("html.static."), key=lambda code: -len(phrase(code))):
        text = text.replace(str(_escaped(phrase(code))), str(_escaped(phrase(code, language))))
    return text


def with_head(request: Request, source: str, head: PageHead, *, embedded: bool) -> str:
    """Put a head into a page of ``static/`` in place of its title and description; an embedded one is marked."""
    said = templates(language_of(request)).get_template("head.html").render(head=head)
    before, begin, rest = source.partition(_PAGE_HEAD[0])
    page = f"{before}{said}{rest.partition(_PAGE_HEAD[1])[2]}" if begin else source
    return page.replace("<body", '<body data-embed="1"', 1) if embedded else page


def _context(request: Request, view: ServedVersion, kind: str, collection: Collection | None, document: Json) -> Json:
    """Give the page of a kind what its JSON lacks."""
    language = language_of(request)
    if kind == "landing":
        return {"pictures": pictures(request, None, view.snapshot.collections["strikes"].bounds, {})}
    if kind == "conformance":
        return {"standards": _standards(document, language)}
    if kind == "definition":
        return {"groups": schemas.groups(document, language), "shared": schemas.shared(document, language)}
    if kind in _SCHEMAS:
        return {"rows": schemas.rows(document, language)}
    if kind == "countries":
        return _country_ranking(request, view, document)
    if kind in _ANSWERS:
        # Through JSON, so that days are texts here as there.
        members = orjson.loads(orjson.dumps({name: part for name, part in document.items() if name != "links"}))
        answer = {"answer": documents.terms_of(members, language), "as_json": _as_json(request), "published": None}
        return answer | subjects.of_answer(request, view, kind, document)
    context = _CONTEXTS.get(kind)
    return {} if context is None or collection is None else context(request, view, collection, document)


def _country_ranking(request: Request, view: ServedVersion, answer: Json) -> Json:
    """Give the page of all countries its rows, most first as the answer has them, and the ways to count."""
    language, by = language_of(request), answer["relation"] or "owner"
    names = country_names(view.snapshot.country_names, language)
    most = max((row["relations"][by]["strikes"] for row in answer["countries"]), default=0) or 1
    rows = [_ranked(request, row, by, names.get(row["country"], row["name"]), most) for row in answer["countries"]]
    choices = [(page_text(name, language), _choices(request, answer, name)) for name in _CHOICES]
    return {
        "ranked": rows,
        "by": by,
        "by_name": word("relation", by, language),
        "choices": [(name, options) for name, options in choices if len(options) > 1],
        "day": date_in_words(view.snapshot.data_date.isoformat(), language),
        "as_json": _as_json(request),
    }


def _choices(request: Request, answer: Json, name: str) -> list[Json]:
    """List the values of a parameter, without those that only a server answers where the page becomes a file."""
    chosen, language = {one: answer[one] for one in ("relation", *_CHOICES)}, language_of(request)
    options = []
    for value in _CHOICES[name]:
        query = {one: given for one, given in {**chosen, name: value}.items() if given not in _DEFAULTS}
        address, is_chosen = href(request, "/countries", **query), value == answer[name]
        if is_chosen or leads_somewhere(request, address):
            shown = page_text(f"{name}{value}", language)
            options.append({"name": shown, "address": address, "is_chosen": is_chosen})
    return options


def _ranked(request: Request, row: Json, by: str, name: str, most: int) -> Json:
    """Describe a country: strikes that rank it and their bar, its shares in site equivalents, hosted ones and ties.

    The parts of a bar are in hundredths of the longest.
    """
    relations, language = row["relations"], language_of(request)
    owner, shown = relations.get("owner"), relations[by]
    return {
        "name": name,
        "address": href(request, f"/countries/{row['country']}"),
        "counted": _strike_count(shown, language),
        "bar": [
            ("sure", 100 * shown["strikes_sure"] / most),
            ("range", 100 * (shown["strikes"] - shown["strikes_sure"]) / most),
        ],
        "whole_sites": amount(owner["assets_min"], owner["assets_max"], language) if owner and owner["hits"] else "",
        "hits": formatted(owner["hits"], ",", language) if owner else "",
        "hosted": _strike_count(relations["host"] if by != "host" and "host" in relations else {}, language),
        "ties": [
            (word("relation", relation, language), _strike_count(count, language))
            for relation, count in relations.items()
            if relation not in ("owner", "host", by) and count["strikes"]
        ],
    }


def _strike_count(count: Json, language: str) -> Json:
    """Write the strikes that surely count, and how many more may; each is empty where there are none."""
    strikes, sure = count.get("strikes", 0), count.get("strikes_sure", 0)
    numbers = {"sure": sure, "possible": strikes - sure}
    return {name: formatted(number, ",", language) if number else "" for name, number in numbers.items()}


def _rendered(request: Request, kind: str, document: Json, context: Json) -> bytes:
    """Fill a template; characters that HTML may not hold are replaced."""
    language = language_of(request)
    text = templates(language).get_template(f"{kind}.html").render(
        document=document,
        href=partial(href, request),
        ways=_ways(request, kind, document),
        policy=FILE_SECURITY_POLICY if FILES in request.scope else None,
        base=base_address(request),
        switch=[
            (tag, phrase("language.name", tag), address)
            for tag in catalogue.languages()
            if leads_somewhere(request, address := _here(request, {**request.query_params, "lang": tag}))
        ],
        credit=(context.pop("attribution", request.app.state.settings.attribution), ATTRIBUTION),
        **context,
    )  # fmt: skip
    return text.encode()


def _ways(request: Request, kind: str, document: Json) -> Sequence[Mapping[str, str]]:
    """Return the links of a resource that a page shows; a feature has further formats on a server alone."""
    if kind == "item" and FILES in request.scope:
        return ()
    return answered(request, document.get("links") or ())


def _trail(
    request: Request, view: ServedVersion, kind: str, collection: Collection | None, document: Json
) -> list[tuple[str, str | None]]:
    """List name and address of the pages that lead to this one, which is the last and has no address."""
    language = language_of(request)
    if kind in _ANSWERS:
        above = [(phrase("html.title.countries", language), href(request, "/countries"))] if kind == "country" else []
        return [*above, (_subject_name(view, kind, document, language) or _summary(request), None)]
    if collection is None:
        return [(phrase(f"html.title.{kind}", language), None)]
    path, named = f"/collections/{collection.name}", catalogue.declared(collection.title, language)
    parents = [(phrase("html.title.collections", language), href(request, "/collections"))]
    if kind == "collection":
        return [*parents, (named, None)]
    parents.append((named, href(request, path)))
    if kind != "item":
        return [*parents, (phrase(f"html.title.{kind}", language), None)]
    parents.append((phrase("html.title.items", language), href(request, f"{path}/items")))
    return [*parents, (features.called(view, collection, document, language), None)]


def _subject_name(view: ServedVersion, kind: str, document: Json, language: str) -> str | None:
    """Return the name of the country or owner that a page is about; ``None`` for a page about neither."""
    if kind == "country":
        names = country_names(view.snapshot.country_names, language)
        return names.get(document["country"], document["name"])
    entity = view.snapshot.records.entities.get(document["entity"]["id"]) if kind == "entity" else None
    return None if entity is None else name_in(entity, language)


def _summary(request: Request) -> str:
    """Return the heading of an answer without a page of its own: the summary of its route and the names in its path."""
    names = [text for text in request.path_params.values() if isinstance(text, str)]
    summary = catalogue.declared(request.scope["route"].summary, language_of(request))
    return ": ".join((summary, *([", ".join(names)] if names else [])))


def _here(request: Request, query: Mapping[str, str]) -> str:
    """Return the address of the resource with other parameters."""
    root: str = request.scope.get("root_path", "")
    path = urllib.parse.quote(request.scope["path"].removeprefix(root))
    return href(request, path, **query)


def _as_json(request: Request) -> str:
    """Return the address of the same answer as JSON."""
    return _here(request, {**request.query_params, "f": "json"})


def _standards(document: Json, language: str) -> Mapping[str, list[str]]:
    """Group the URIs of conformance classes by the name of their standard; an unknown standard is named by its key."""
    by_standard: dict[str, list[str]] = {}
    for uri in document["conformsTo"]:
        key = uri.removeprefix("http://www.opengis.net/spec/").partition("/")[0]
        code = f"html.conformance.{key}"
        name = phrase(code, language) if code in catalogue.codes("html.conformance.") else key
        by_standard.setdefault(name, []).append(uri)
    return by_standard


@lru_cache
def templates(language: str) -> Environment:
    """Return the templates in a language: they word codes by ``phrase(code, name=value)``."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_fit,
    )
    environment.filters["flat"] = flat
    environment.filters["plain"] = partial(plain, language=language)
    environment.filters["declared"] = partial(catalogue.declared, language=language)
    environment.filters["small"] = lambda title: within_sentence(catalogue.declared(title, language), language)
    environment.globals["language"] = language
    environment.globals["phrase"] = partial(_markup, language)
    return environment


def _markup(language: str, code: str, /, **arguments: object) -> Markup:
    """Word a code as HTML: sentence and arguments are escaped, apart from arguments that are markup of a template."""
    values = catalogue.values({name: _fit(value) for name, value in arguments.items()}, language)
    sentence = _escaped(catalogue.template(code, language, arguments))
    return Markup(_MarkupFormatter(language).vformat(sentence, (), values))


class _MarkupFormatter(catalogue.SentenceFormatter):
    """Fills the gaps of a sentence of a page: what is no markup is escaped."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        if isinstance(value, Markup):
            return value
        return escape(super().format_field(value, format_spec))


def _escaped(sentence: str) -> Markup:
    """Escape a sentence for text and for attributes in double quotes; apostrophes stay as they are."""
    return Markup(str(escape(sentence)).replace("&#39;", "'"))


def _fit(value: Any) -> Any:
    """Replace characters that HTML may not hold in a text; markup is fit already."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _UNFIT.sub("\ufffd", value)
    return value


def flat(text: str) -> str:
    """Return a text for a title, without controls of direction."""
    return _DIRECTION.sub("", text)
