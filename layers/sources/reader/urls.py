"""Web addresses in cells of a table."""

import re

_URL = re.compile(r"https?://[^\s<>\"]{1,990}")


def url_of(text: str) -> str | None:
    """A web address as the schema takes it, None of anything else."""
    return text if _URL.fullmatch(text) else None
