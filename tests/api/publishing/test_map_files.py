"""A publication has as many rows of the list at once as its page asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.publishing.map_files import first_rows
from tools.build.module_preloads import STATIC


def test_the_page_itself_says_how_many_rows_it_begins_with(tmp_path: Path) -> None:
    said = (STATIC / "results.js").read_text(encoding="utf-8")
    (tmp_path / "results.js").write_text(said.replace(f"PAGE = {first_rows(STATIC)};", "PAGE = 37;"), encoding="utf-8")
    assert first_rows(tmp_path) == 37


def test_a_page_that_does_not_say_so_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "results.js").write_text("export const ROWS = 200;", encoding="utf-8")
    with pytest.raises(ValueError, match=r"results\.js does not say"):
        first_rows(tmp_path)
