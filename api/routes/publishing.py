"""What is published, and for whoever publishes it: the policy, citations, the map within other pages (oEmbed 1.0)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal

from fastapi import Query, Request, Response
from pydantic import Field
from starlette.exceptions import HTTPException

from api.html.published import embedders_of, iframe
from api.html.shown_pages import ShownPage, citation_at, embedded_at, page_at, subject_at
from api.http.conditional import representation
from api.http.json import Json
from api.http.links import href, link
from api.openapi.declaration import ApiPart, Link
from api.openapi.responses import ANY_OBJECT, COUNT, NULLABLE_STRING, STRING, array_of, may_be_missing, object_with
from api.requests.negotiation import HTML, JSON, MediaFormat
from api.requests.parameters import INTEGER_TEXT
from api.responses.resource import as_json, document, negotiated_format, self_links, served_version, version
from api.serializers.citation import PUBLISHER, Citation
from api.serializers.policy import RULES, policy_document
from api.wording.preference import language_of


def _landing_links(request: Request) -> Sequence[Link]:
    return [link("describedby", href(request, "/policy"), JSON.media_type, "Policy of disclosure")]


POLICY = ApiPart(
    "policy",
    schemas={
        "Policy": object_with(
            contact=NULLABLE_STRING,
            statement=NULLABLE_STRING,
            authors={"type": "string", "enum": ["role", "name"]},
            **dict.fromkeys(RULES, array_of(ANY_OBJECT)),
            withheld=ANY_OBJECT,
            summary=array_of(STRING),
        )
    },
    landing_links=_landing_links,
)


@POLICY.document("/policy", "Policy of disclosure", "Policy")
def policy(request: Request) -> Response:
    """What is withheld for a time, made coarser or left out, by which rules, and of how many records."""
    content = policy_document(served_version(request).disclosure, language_of(request))
    return document(request, "answer", {**content, "links": self_links(request, "/policy")})


TEXT = MediaFormat("text", "text/plain", "text")
BIBTEX = MediaFormat("bibtex", "application/x-bibtex", "BibTeX")
RIS = MediaFormat("ris", "application/x-research-info-systems", "RIS")
CSL = MediaFormat("csl", "application/vnd.citationstyles.csl+json", "CSL-JSON")
_FORMATS = (JSON, HTML, TEXT, BIBTEX, RIS, CSL)
#: What writes a citation in a format, in a language.
_WRITERS: Mapping[MediaFormat, Callable[[Citation, str], str | bytes]] = {
    TEXT: Citation.text,
    BIBTEX: Citation.bibtex,
    RIS: Citation.ris,
    CSL: Citation.csl_json,
}
#: Pixels of an embedded map where a request gives no smaller ones.
_WIDTH, _HEIGHT = 800, 520

_CSL = array_of(object_with(id=STRING, type=STRING, title=STRING))

PART = ApiPart(
    "publishing",
    schemas={
        "Citation": object_with(
            text=STRING,
            title=STRING,
            url=STRING,
            version=STRING,
            data_date={"type": "string", "format": "date"},
            history=STRING,
            code=NULLABLE_STRING,
            bibtex=STRING,
            ris=STRING,
            csl=_CSL,
        ),
        "Embedding": object_with(
            type={"type": "string", "enum": ["rich"]},
            version={"type": "string", "enum": ["1.0"]},
            title=STRING,
            provider_name=STRING,
            provider_url=STRING,
            html=STRING,
            width=COUNT,
            height=COUNT,
        ),
    },
)

_Address = Annotated[
    str,
    Query(
        description="Address or path of a page of this server: of a strike, a site, an owner, a country or the map.",
        examples=["/countries/AZ"],
        max_length=4096,
    ),
]
_Pixels = Annotated[int | None, Field(ge=1, le=100_000), INTEGER_TEXT]


def _may_be_csl(operation: Json) -> None:
    """Amend the operation of citations: CSL-JSON is a list of works, no object."""
    may_be_missing(operation)
    operation["responses"]["200"]["content"][CSL.media_type]["schema"] = _CSL


def _page_at(request: Request, url: str) -> ShownPage:
    """Return what an address shows, or answer 404."""
    page = page_at(request, url)
    if page is None:
        raise HTTPException(404, f"No page of this server has the address {url[:200]!r}")
    return page


@PART.document("/cite", "How a page is cited", "Citation", formats=_FORMATS, amend=_may_be_csl)
def cite(request: Request, url: _Address) -> Response:
    """Version of the data, hash of the history and permanent address of a page, as text, BibTeX, RIS and CSL-JSON."""
    form, language = negotiated_format(request, _FORMATS), language_of(request)
    citation = citation_at(request, served_version(request), _page_at(request, url))
    if write := _WRITERS.get(form):
        text = write(citation, language)
        body = text.encode() if isinstance(text, str) else text
        return representation(request, version(request), form.media_type, body, language)
    return document(request, "answer", _values(citation, language), _FORMATS)


def _values(citation: Citation, language: str) -> Json:
    return {
        "text": citation.text(language),
        "title": citation.title,
        "url": citation.address,
        "version": citation.version(language),
        "data_date": citation.day,
        "history": citation.history,
        "code": citation.code,
        "bibtex": citation.bibtex(language),
        "ris": citation.ris(language),
        "csl": [citation.csl(language)],
    }


@PART.route("get", "/oembed", "The map within another page (oEmbed)", schema="Embedding", amend=may_be_missing)
def oembed(
    request: Request,
    url: _Address,
    maxwidth: _Pixels = None,
    maxheight: _Pixels = None,
    format: Literal["json"] = "json",
) -> Response:
    """HTML that shows the map at what an address shows, no larger than asked for (oEmbed 1.0, type rich).

    404 where the operator lets no other site show it.
    """
    if not embedders_of(request):
        raise HTTPException(404, "The operator lets no other site show this map")
    page = _page_at(request, url)
    subject = subject_at(request, served_version(request), page)
    width, height = min(maxwidth or _WIDTH, _WIDTH), min(maxheight or _HEIGHT, _HEIGHT)
    content = {
        "type": "rich",
        "version": "1.0",
        "title": subject.title,
        "provider_name": PUBLISHER,
        "provider_url": href(request, "/"),
        "html": iframe(embedded_at(request, page), width, height),
        "width": width,
        "height": height,
    }
    return as_json(content, request)
