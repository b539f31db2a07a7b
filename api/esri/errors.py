"""Errors of the FeatureServer in the form that ArcGIS reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class EsriError(ValueError):
    """A request that cannot be answered; ``details`` state what is expected."""

    def __init__(self, message: str, details: Sequence[str] = (), code: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.details = tuple(details)

    @property
    def payload(self) -> Mapping[str, Any]:
        """Body of the answer."""
        return {"error": {"code": self.code, "message": str(self), "details": list(self.details)}}


def invalid_parameter(name: str, value: object, expected: str) -> EsriError:
    """Return the error of a parameter that cannot be read."""
    return EsriError(f"'{name}' parameter is invalid", [f"{name}={str(value)[:100]!r}: expected {expected}"])
