"""Independent reports of an event: pages that reprint or retell one agency's report are one, and data is none.

A page is known by whoever reported first: the agency whose report it retells, by ``same_report_as`` or by the name in
brackets that ends its publisher, as in "Nasdaq (Reuters)"; else its publisher. So the agency's own page and all that
retell it are one report, and so are two addresses of one publisher. What a source with a licence gives is data that was
taken over: it compiles or locates events and reports none itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from layers.model.records import Source, Strike

#: A name and what is in the brackets that end it.
_RETOLD = re.compile(r"[^()]+\(([^()]+)\)")


def reporter(source: Source) -> str | None:
    """Return who reported first what a source reports, comparable with that of others; ``None`` for data."""
    if source.licence is not None:
        return None
    retold = _RETOLD.fullmatch(source.publisher)
    return _comparable(source.same_report_as or (retold[1] if retold else source.publisher))


def reporters(sources: Iterable[Source]) -> frozenset[str]:
    """Return the independent reporters of sources; without sources, and of data alone, none."""
    return frozenset(name for source in sources if (name := reporter(source)) is not None)


def reporters_of(strike: Strike, sources: Mapping[str, Source]) -> frozenset[str]:
    """Return the independent reporters of a strike.

    Parameters
    ----------
    strike
        The strike. The source of its place and those of the asset are no report of it, unless they are among its own.
    sources
        Sources by id; one that is not among them, such as a withheld one, reports nothing.
    """
    return reporters(sources[name] for name in strike.sources if name in sources)


# The same publishers report again and again.
@lru_cache(maxsize=4096)
def _comparable(name: str) -> str:
    """Return a name without case and signs, in which one publisher may be spelled in several ways."""
    return "".join(letter for letter in name.casefold() if letter.isalnum()) or name
