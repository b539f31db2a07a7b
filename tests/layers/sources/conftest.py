"""What the tests of readers share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def docs_page() -> str:
    """The page that tells how strikes are read."""
    return (Path(__file__).resolve().parents[3] / "docs" / "strike-sources.md").read_text(encoding="utf-8")
