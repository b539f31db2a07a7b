"""The API definition as people read it: its operations by part of the server, each with its parameters in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from api.html.documents import plain
from api.html.schemas import words

Json = Mapping[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")


class Parameter(NamedTuple):
    """One parameter; ``shared`` is the anchor of one that is told once for all operations."""

    name: str
    place: str
    required: bool
    words: str
    default: str
    example: str
    doc: str
    shared: str | None = None


class Answer(NamedTuple):
    """One answer: its status, what it means, and in which forms it comes."""

    status: str
    doc: str
    types: tuple[str, ...]


class Operation(NamedTuple):
    """One method of one path; ``token`` is whether it needs that of a reviewer."""

    method: str
    path: str
    anchor: str
    summary: str
    doc: str
    parameters: list[Parameter]
    body: tuple[str, ...]
    answers: list[Answer]
    token: bool

    @property
    def leads(self) -> bool:
        """Whether the path can be followed as it is, without a parameter."""
        asks = any(part.required for part in self.parameters)
        return self.method == "GET" and not asks and not self.token


def groups(told: Json) -> Mapping[str, list[Operation]]:
    """All operations by their first tag, in the order of the definition."""
    found: dict[str, list[Operation]] = {}
    for path, item in told["paths"].items():
        for method in METHODS:
            if method in item:
                tag = (item[method].get("tags") or ["others"])[0]
                found.setdefault(tag, []).append(_operation(told, path, method, item[method]))
    return found


def shared(told: Json) -> list[Parameter]:
    """The parameters that operations share, each told once."""
    return [_parameter(one, key) for key, one in told.get("components", {}).get("parameters", {}).items()]


def anchor(text: str) -> str:
    """A text as the id of an element."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower() or "root"


def _operation(told: Json, path: str, method: str, one: Json) -> Operation:
    return Operation(
        method.upper(),
        path,
        f"{method}-{anchor(path)}",
        one.get("summary", ""),
        one.get("description", ""),
        [_resolved(told, part) for part in one.get("parameters", ())],
        tuple(one.get("requestBody", {}).get("content", {})),
        [_answer(told, status, answer) for status, answer in one["responses"].items()],
        bool(one.get("security")),
    )


def _resolved(told: Json, part: Json) -> Parameter:
    if "$ref" not in part:
        return _parameter(part, None)
    key = part["$ref"].rpartition("/")[2]
    return _parameter(told["components"]["parameters"][key], key)


def _parameter(one: Json, key: str | None) -> Parameter:
    schema = one.get("schema", {})
    example = one.get("example", schema.get("example"))
    return Parameter(
        one["name"],
        one["in"],
        bool(one.get("required")),
        words(schema),
        plain(schema["default"]) if "default" in schema else "",
        "" if example is None else _joined(example),
        one.get("description", "") or schema.get("description", ""),
        None if key is None else f"parameter-{anchor(key)}",
    )


def _joined(example: Any) -> str:
    return ",".join(map(plain, example)) if isinstance(example, list) else plain(example)


def _answer(told: Json, status: str, answer: Json) -> Answer:
    if "$ref" in answer:
        answer = told["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return Answer(status, answer.get("description", ""), tuple(answer.get("content", {})))
