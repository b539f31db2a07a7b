"""All regular expressions of the rings, found in their syntax trees, each with the ways in which it is used."""

from __future__ import annotations

import ast
import importlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.linear_time import Use

ROOT = Path(__file__).resolve().parent.parent
RINGS = ("geo", "layers", "api")

_USES: Mapping[str, Use] = {
    "match": "match",
    "fullmatch": "fullmatch",
    **dict.fromkeys(("search", "sub", "subn", "split", "findall", "finditer"), "search"),
}
#: Uses of a pattern that is handed on, so that anything may be done with it.
_ANY: tuple[Use, ...] = ("fullmatch", "search")


@dataclass(frozen=True)
class UsedPattern:
    """A regular expression of the code, and how it is used; ``pattern`` is ``None`` where only a run knows it."""

    where: str
    pattern: str | bytes | None
    flags: int
    uses: tuple[Use, ...]

    def __str__(self) -> str:
        return self.where


def used_patterns() -> list[UsedPattern]:
    """Return every regular expression of the rings."""
    sources = [_Source.of(path) for ring in RINGS for path in sorted((ROOT / ring).rglob("*.py"))]
    return [pattern for source in sources if source.calls for pattern in _patterns_of(source, sources)]


@dataclass(frozen=True)
class _Source:
    """A module: its calls of ``re``, the names that it gives to their results, and what it does with names.

    ``loads`` has the methods that are called on a name, ``None`` where the name itself is handed on.
    """

    path: Path
    calls: Sequence[Any]
    named: Mapping[int, str]
    loads: Mapping[str, Sequence[str | None]]
    attributes: frozenset[str]
    imported: Sequence[tuple[str | None, str, str]]

    @cached_property
    def module(self) -> str:
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts)

    @classmethod
    def of(cls, path: Path) -> _Source:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        methods = {id(node.value): node.attr for node in nodes if isinstance(node, ast.Attribute)}
        loads = defaultdict[str, list[str | None]](list)
        for node in nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                loads[node.id].append(methods.get(id(node)))
        return cls(
            path,
            [node for node in nodes if _is_call_of_re(node)],
            {id(value): name for node in nodes for name, value in _assignments(node)},
            loads,
            frozenset(methods.values()),
            [
                (node.module, one.name, one.asname or one.name)
                for node in nodes
                if isinstance(node, ast.ImportFrom)
                for one in node.names
            ],
        )

    def uses(self, name: str) -> Iterator[Use]:
        for method in self.loads.get(name, ()):
            if method in _USES:
                yield _USES[method]
            elif method not in ("pattern", "flags"):
                yield from _ANY


def _patterns_of(source: _Source, sources: Sequence[_Source]) -> Iterator[UsedPattern]:
    module = importlib.import_module(source.module)
    for call in source.calls:
        pattern, flags = _evaluated(call, module)
        if call.func.attr != "compile":
            uses: tuple[Use, ...] = (_USES[call.func.attr],)
        elif name := source.named.get(id(call)):
            uses = tuple(sorted(set(_uses_of(name, source, sources))))
        else:
            uses = _ANY
        yield UsedPattern(f"{source.path.relative_to(ROOT)}:{call.lineno}", pattern, flags, uses)


def _uses_of(name: str, home: _Source, sources: Sequence[_Source]) -> Iterator[Use]:
    """Yield the uses of a compiled pattern in its module and in those that import it."""
    yield from home.uses(name)
    for source in sources:
        for module, imported, alias in source.imported:
            if (module, imported) == (home.module, name):
                yield from source.uses(alias)
        if name in source.attributes:
            yield from _ANY


def _is_call_of_re(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in ("compile", *_USES)
    )


def _assignments(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from ((target.id, node.value) for target in targets if isinstance(target, ast.Name))


#: Where the flags stand among the arguments of a function of ``re``; 2 unless it is here.
_FLAGS = {"compile": 1, "sub": 4, "subn": 4, "split": 3}


def _evaluated(call: Any, module: ModuleType) -> tuple[str | bytes | None, int]:
    """Return pattern and flags of a call; no pattern where it depends on more than the module."""
    at = _FLAGS.get(call.func.attr, 2)
    flags = [*call.args[at : at + 1], *(word.value for word in call.keywords if word.arg == "flags")]
    try:
        return _value(call.args[0], module), sum(int(_value(flag, module)) for flag in flags)
    except NameError:
        return None, 0


def _value(node: ast.expr, module: ModuleType) -> Any:
    return eval(compile(ast.Expression(node), "<pattern>", "eval"), vars(module))
