"""Proposed duplicates and judgements as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from api.http.json import Json
from api.terminal.console import add_row
from api.wording.dates import date_in_words
from api.wording.strikes import strike_title

#: Most descriptions of a strike that are shown, and letters of one.
_DESCRIPTIONS, _DESCRIPTION = 2, 200


def duplicates(rows: Iterable[Json]) -> RenderableType:
    """List pairs of records that may be duplicates, with the reasons of each."""
    table = Table("score", "one", "other", "km", "reasons", title="To be judged: are these one?", show_lines=True)
    for row in rows:
        metres = row["distance_m"]
        km = "" if metres is None else f"{metres / 1000:.1f}"
        reasons = "\n".join(map(_reason, row["reasons"]))
        add_row(table, f"{row['score']:.3f}", _side(row["one"]), _side(row["other"]), km, reasons)
    return table if table.row_count else "Nothing is proposed."


def _reason(reason: Json) -> str:
    if reason["weight"] is None:
        return str(reason["detail"])
    return f"{reason['weight']:+.2f} {reason['name']}: {reason['detail']}"


def _side(answer: Json) -> str:
    title = strike_title(" ".join(str(answer.get("title") or answer.get("name")).split())[:120], answer.get("status"))
    texts = answer.get("descriptions", ())[:_DESCRIPTIONS]
    said = [f"“{text if len(text) <= _DESCRIPTION else f'{text[: _DESCRIPTION - 1]}…'}”" for text in texts]
    return "\n".join(
        str(part) for part in (answer["id"], answer.get("when") and date_in_words(answer["when"]), title, *said) if part
    )


def judgement(answer: Json) -> RenderableType:
    """Describe the effect of a judgement."""
    merged = [f"{name} is now {one}" for name, one in answer["united"].items()]
    done = f"{answer['one']} and {answer['other']}: {answer['verdict']}, says {answer['who']} ({answer['id']})"
    return Group(*(escape(text) for text in (done, *merged, *answer["remarks"])))


def judgements(rows: Iterable[Json]) -> RenderableType:
    """List all judgements, the oldest first."""
    table = Table("when", "table", "one", "other", "verdict", "stands", "who", "why", title="Judgements")
    for row in rows:
        stands = "yes" if row["stands"] else "no"
        values = (row[name] for name in ("table", "one", "other", "verdict"))
        add_row(table, date_in_words(row["when"]), *values, stands, row["who"], row["why"])
    return table if table.row_count else "Nothing was judged yet."
