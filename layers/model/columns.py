"""The columns of a noun or feature, read off its JSON Schema, for tables, headers and docs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a noun: ``type`` is text, number, integer, boolean, geometry or json."""

    name: str
    type: Literal["text", "number", "integer", "boolean", "geometry", "json"]
    required: bool
    unit: str | None
    choices: tuple[str, ...]
    doc: str


def columns(noun: type[BaseModel]) -> Iterator[Column]:
    """Columns of a noun in their order, read off its JSON Schema."""
    schema = noun.model_json_schema(mode="serialization")
    required = {name for name, field in noun.model_fields.items() if field.is_required()}
    for name, spec in schema["properties"].items():
        parts = [part for part in spec.get("anyOf", ()) if part.get("type") != "null"] or [spec]
        plain = parts[0]
        yield Column(
            name=name,
            type=_column_type(plain),
            required=name in required,
            unit=plain.get("unit"),
            choices=tuple(choice for part in parts for choice in part.get("enum", ())),
            doc=noun.model_fields[name].description or "",
        )


def _column_type(
    spec: Mapping[str, Any],
) -> Literal["text", "number", "integer", "boolean", "geometry", "json"]:
    if spec.get("format") == "wkt":
        return "geometry"
    if spec.get("type") in ("array", "object"):
        return "json"
    return {"string": "text", "number": "number", "integer": "integer", "boolean": "boolean"}[spec["type"]]  # type: ignore[return-value]
