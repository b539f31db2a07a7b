"""Which language an answer is worded in: by the parameter lang, else by Accept-Language (RFC 9110, 12.5.4)."""

from __future__ import annotations

import re
from functools import lru_cache

from starlette.requests import Request

from api.wording.catalogue import ENGLISH, languages

_RANGE = re.compile(r"\s*([A-Za-z0-9*-]{1,40})\s*(?:;\s*[qQ]\s*=\s*([01](?:\.\d{0,3})?)\s*)?", re.ASCII)


def language_of(request: Request) -> str:
    """Return the BCP 47 tag of the language that a request is answered in: one that has a catalogue."""
    offered = languages()
    if len(offered) == 1:
        return offered[0]
    return preferred(request.query_params.get("lang"), request.headers.get("accept-language"), offered)


@lru_cache(maxsize=256)
def preferred(lang: str | None, accepted: str | None, offered: tuple[str, ...]) -> str:
    """Choose a language by a tag that is asked for, else by a header, else English.

    Parameters
    ----------
    lang
        Language tag of the parameter ``lang``; one that is not offered counts as none.
    accepted
        Accept-Language header. Ranges are looked up in the order of their weights (RFC 4647, 3.4): de-AT is
        answered by de where there is no de-AT. Ranges that cannot be read, or have the weight 0, are passed over.
    offered
        Tags to choose from, English first.
    """
    wanted = [] if lang is None else [lang]
    for tag in (*wanted, *_ranges(accepted or "")):
        if (match := _lookup(tag, offered)) is not None:
            return match
    return ENGLISH


def language_parts(request: Request) -> tuple[str, ...]:
    """Name the language of a request for the entity tag of what is worded; nothing where that is English."""
    language = language_of(request)
    return () if language == ENGLISH else (language,)


def language_headers(request: Request, *, worded: bool) -> dict[str, str]:
    """Return the headers on the media type and language of an answer: Vary and, of one in words, Content-Language.

    ``worded``: whether the answer has sentences in the language of the request.
    """
    if len(languages()) == 1 or not worded:
        return {"Vary": "Accept"}
    return {"Vary": "Accept, Accept-Language", "Content-Language": language_of(request)}


def _ranges(accepted: str) -> list[str]:
    weighted: list[tuple[float, str]] = []
    for part in accepted.split(","):
        read = _RANGE.fullmatch(part)
        if read is not None and (weight := 1.0 if read[2] is None else float(read[2])) > 0:
            weighted.append((min(weight, 1.0), read[1]))
    # Sorting is stable: of equal weights the first range counts.
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]


def _lookup(tag: str, offered: tuple[str, ...]) -> str | None:
    """Find the offered language that is a tag, or what is left of it when its last subtags are cut off one by one."""
    known = {language.lower(): language for language in offered}
    parts = tag[:40].lower().split("-")
    heads = ("-".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((known[head] for head in heads if head in known), None)
