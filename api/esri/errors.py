"""What a FeatureServer cannot answer, told as ArcGIS reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class EsriError(ValueError):
    """A question that cannot be answered; ``details`` say what would do."""

    def __init__(self, message: str, details: Sequence[str] = (), code: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.details = tuple(details)

    @property
    def told(self) -> Mapping[str, Any]:
        """As the body of an answer."""
        return {"error": {"code": self.code, "message": str(self), "details": list(self.details)}}


def unreadable(name: str, value: object, expected: str) -> EsriError:
    """A parameter that cannot be read."""
    return EsriError(f"'{name}' parameter is invalid", [f"{name}={str(value)[:100]!r}: expected {expected}"])
