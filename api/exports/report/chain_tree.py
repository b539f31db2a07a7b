"""The chain of owners of one asset as a layered list: what print and the web page draw. Plain values in and out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.exports.text.formatting import spoken_date
from api.exports.text.translations import say, share, word

Json = dict[str, Any]
#: Gives the number under which a source is listed.
Cite = Callable[[str], int]

#: Deeper holders are listed beside those above them; each says what it holds, so nothing is lost.
DEEPEST = 12
#: Parts of a bar that are narrower than this many percent are not drawn.
_THIN = 0.005


@dataclass
class Node:
    """A holder in the tree of paths that begin alike: its step, its part of the whole asset, and what ends with it."""

    step: Mapping[str, Any] | None
    part: tuple[float, float]
    ends: list[Mapping[str, Any]] = field(default_factory=list)
    children: dict[tuple[Any, ...], Node] = field(default_factory=dict)


def tree_of(chains: Iterable[Mapping[str, Any]]) -> Node:
    """Merge paths that begin alike; holders come in the order of their largest path."""
    root = Node(None, (100.0, 100.0))
    for chain in chains:
        node = root
        for step in chain["steps"]:
            key = tuple(step[name] for name in ("owner", "share_min", "share_max", "since"))
            low, high = (
                part * step[end] / 100 for part, end in zip(node.part, ("share_min", "share_max"), strict=True)
            )
            node = node.children.setdefault(key, Node(step, (low, high)))
        if node is not root:
            node.ends.append(chain)
    return root


def layered(hit: Mapping[str, Any], cite: Cite, countries: Mapping[str, str]) -> Json:
    """The chain of a struck asset in words, for the page: holders in layers, and the rest of the sum.

    Parameters
    ----------
    hit
        An asset of an answer, with its chains, rest and warnings.
    cite
        Numbers sources.
    countries
        Names of countries by code; a code without a name is said itself.
    """
    name, rest = hit["asset"]["name"], hit["rest"]
    holders = list(_rows(tree_of(hit["chains"]), name, 1, cite, countries))
    if not holders:
        return {"title": say("chain", asset=name), "holders": [], "notes": [say("noChain")]}
    left = [say("rest", share=share(rest["share_min"], rest["share_max"]))] if rest["share_max"] > 0 else []
    warnings = [say("warning", text=text) for text in hit["warnings"]]
    return {"title": say("chain", asset=name), "holders": holders, "notes": [*left, *warnings]}


def _rows(above: Node, owned: str, level: int, cite: Cite, countries: Mapping[str, str]) -> Iterator[Json]:
    """The holders of something, each with its own."""
    for node in above.children.values():
        assert node.step is not None  # only the root has none
        inner = _rows(node, node.step["name"], level + 1, cite, countries)
        row = _row(node, owned, cite, countries)
        if level < DEEPEST:
            yield row | {"children": list(inner)}
        else:
            yield row | {"children": []}
            yield from inner


def _row(node: Node, owned: str, cite: Cite, countries: Mapping[str, str]) -> Json:
    step = node.step
    assert step is not None
    country = step["country"] if step["type"] != "state" else None
    return {
        "name": step["name"],
        "where": _country(country, countries) if country else "",
        "part": share(*node.part),
        "bar": _bar(node),
        "held": say("holds", share=share(step["share_min"], step["share_max"]), owned=owned),
        "dates": _dates(step["since"], step["until"]),
        "checked": word("checked", step["checked"]),
        "source": cite(step["source"]),
        "note": step["note"] or "",
        "ends": [_end(chain, countries) for chain in node.ends],
    }


def _dates(since: str | None, until: str | None) -> str:
    if since and until:
        return say("sinceUntil", since=spoken_date(since), until=spoken_date(until))
    if since:
        return say("sinceOnly", since=spoken_date(since))
    return say("untilOnly", until=spoken_date(until)) if until else ""


def _end(chain: Mapping[str, Any], countries: Mapping[str, str]) -> str:
    """Where a share ends; one that stays with a company further down is said to count with that company."""
    stays, top = chain["stays_with"], chain["steps"][-1]["owner"]
    below = stays["name"] if stays and stays["entity"] != top else None
    if below:
        name = "countsWith" if chain["country"] else "countsWithNobody"
    else:
        name = "counts" if chain["country"] else "countsToNobody"
    why = chain["reason"] or say(f"reach{chain['reach']}")
    part = share(chain["share_min"], chain["share_max"])
    return say(name, share=part, country=_country(chain["country"], countries), why=why, name=below)


def _country(code: str | None, countries: Mapping[str, str]) -> str:
    return say("unattributed") if code is None else countries.get(code, code)


def _bar(node: Node) -> list[list[Any]]:
    """Parts of a bar that is the whole asset: what ends here, what goes on to holders above, and the open range."""
    low, high = node.part
    ended = sum(chain["share_min"] for chain in node.ends)
    kinds = {"unattributed": "nobody"}
    parts = [[kinds.get(chain["reach"], chain["reach"]), chain["share_min"]] for chain in node.ends]
    parts += [["through", low - ended], ["range", high - max(low, ended)]]
    return [[kind, width] for kind, width in parts if width > _THIN]
