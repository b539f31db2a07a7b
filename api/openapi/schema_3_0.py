"""JSON Schema as OpenAPI 3.0 knows it (specification 3.0.3, Schema Object)."""

from __future__ import annotations

from typing import Any

#: Keywords of JSON Schema that OpenAPI 3.0 has in another form.
_UNKNOWN = ("exclusiveMinimum", "exclusiveMaximum", "x-ogc-unit")


def as_3_0(value: Any, nullable: bool = False) -> Any:
    """Return a schema, or what holds schemas, without null, ``const``, patterns of names and lists of examples.

    Parameters
    ----------
    value
        JSON values; what is no schema stays as it is.
    nullable
        Whether a value that may be null is stated as ``nullable``; parameters have no null.
    """
    if isinstance(value, list):
        return [as_3_0(part, nullable) for part in value]
    if not isinstance(value, dict):
        return value
    schema = {name: as_3_0(part, nullable) for name, part in value.items() if name not in _UNKNOWN}
    if "exclusiveMinimum" in value:
        schema |= {"minimum": value["exclusiveMinimum"], "exclusiveMinimum": True}
    present = [part for part in schema.get("anyOf", ()) if part != {"type": "null"}]
    if len(present) == 1:
        del schema["anyOf"]
        schema.update(present[0], **({"nullable": True} if nullable else {}))
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    if "patternProperties" in schema:
        (schema["additionalProperties"],) = schema.pop("patternProperties").values()
    if isinstance(schema.get("examples"), list):
        schema["example"] = schema.pop("examples")[0]
    return schema
