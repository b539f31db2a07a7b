"""Capacity hit and lost, as a table in the terminal."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from api.terminal.attribution import figures


def test_no_figure_is_cut_off_in_a_narrow_terminal() -> None:
    row = {"unit": "t/y", "capacity_min": 1_004_190_000.0, "capacity_max": 1_234_567_890.0, "sites": 1, "sites_sure": 0}
    hit = {**row, "sources": ["a", "b"]}
    publishers = {"a": {"publisher": "Centre for Research on Energy and Clean Air"}, "b": {"publisher": "GeoNames"}}
    console = Console(width=70, file=StringIO())
    for part in figures("Kazakhstan", {"owner": {"hit": [hit], "lost": [], "untold": 0}}, publishers):
        console.print(part)
    assert isinstance(console.file, StringIO)
    said = console.file.getvalue()
    assert "1,004,190,000" in said
    assert "1,234,567,890" in said
    assert "…" not in said
