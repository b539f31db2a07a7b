"""Writes drafts as mapping files: TOML with the reason of each guess as a comment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layers.sources.column_mapping.draft.table_draft import TableDraft

_BARE = re.compile(r"[A-Za-z0-9_-]+")
#: Letters of a comment.
_COMMENT_LENGTH = 150
#: Tables of a mapping in the order in which they are written.
_TABLES = ("id", "columns", "constants", "blank", "empty", "values", "dates", "units", "lists", "skip", "grammar")
#: Columns of a file that are listed as not used.
_MOST_UNUSED = 60


def mapping_text(tables: Sequence[TableDraft]) -> str:
    """Return a mapping file of one table or several; every line that is no comment is read by a load."""
    is_single = len(tables) == 1
    lines = ["# A draft: each line says why it is there. Check those that say so before you load.", ""]
    if is_single:
        lines += [*_head(tables[0], is_single), ""]
    lines += [*_source(tables), ""]
    decimals = {table.decimal for table in tables}
    if decimals == {","}:
        lines += ["[numbers]", 'decimal = ","', ""]
    for table in tables:
        if not is_single:
            lines += ["[[tables]]", *_head(table, is_single), ""]
        if table.decimal == "," and len(decimals) > 1:
            lines += [f"[{'' if is_single else 'tables.'}numbers]", 'decimal = ","', ""]
        lines += _body(table, "" if is_single else "tables.")
    return "\n".join(lines).rstrip("\n") + "\n"


def _head(table: TableDraft, is_single: bool) -> Iterator[str]:
    yield f'noun = "{table.noun}"{_comment(table.reason)}'
    if not is_single:
        name = table.sample.file.name.rpartition("/")[2]
        yield f"file = {toml_value(name)}{_comment('the files of this name; * stands for any letters')}"
    if table.sample.rows is not None:
        yield f"rows = {toml_value(table.sample.rows)}{_comment('where the list of rows is')}"
    if table.by_name:
        yield f"by_name = {toml_value(table.by_name)}{_comment(table.reasons.get('by_name', ''))}"


def _source(tables: Sequence[TableDraft]) -> Iterator[str]:
    stated = tables[0].sample.source or {}
    yield "[source]"
    if "publisher" in stated:
        yield f"publisher = {toml_value(stated['publisher'])}{_comment('the file says so')}"
    else:
        unknown = f"Publisher of {tables[0].sample.file.stem}"
        yield f"publisher = {toml_value(unknown)}{_comment('CHECK: who published the file')}"
    for column, example in (("title", "Title as published"), ("url", "https://example.org/"), ("licence", "CC BY 4.0")):
        if column in stated:
            yield f"{column} = {toml_value(stated[column])}{_comment('the file says so')}"
        else:
            yield f'# {column} = "{example}"'


def _body(table: TableDraft, prefix: str) -> Iterator[str]:
    for name in _TABLES:
        entries: Mapping[str, Any] = getattr(table, name)
        open_lines = table.open.get(name, [])
        if name == "values":
            yield from _values(table, prefix)
            continue
        if not entries and not open_lines:
            continue
        yield f"[{prefix}{name}]{_comment(table.reasons.get(name, ''))}"
        for key, value in entries.items():
            yield f"{_dotted(key)} = {toml_value(value)}{_comment(table.reasons.get(f'{name}.{key}', ''))}"
        yield from open_lines
        if name == "columns" and table.unused:
            yield from _unused(table)
        yield ""


def _values(table: TableDraft, prefix: str) -> Iterator[str]:
    names = dict.fromkeys((*table.values, *(name[7:] for name in table.open if name.startswith("values."))))
    for column in names:
        yield f"[{prefix}values.{_key(column)}]{_comment(table.reasons.get(f'values.{column}', ''))}"
        yield from (f"{_key(word)} = {toml_value(value)}" for word, value in table.values.get(column, {}).items())
        yield from table.open.get(f"values.{column}", [])
        yield ""


def _unused(table: TableDraft) -> Iterator[str]:
    yield "# Not used: ... = the column of the record (docs/records.md)"
    for name in table.unused[:_MOST_UNUSED]:
        cells = table.sample.columns.get(name, ())
        sample = next((text for text in cells if text), "").replace("\n", " ")[:60]
        yield f"# ... = {toml_value(name)}{_comment(sample)}"


def _comment(text: str) -> str:
    # A control character or line end would end the comment, or be no TOML.
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return f"  # {plain[:_COMMENT_LENGTH]}" if plain.strip() else ""


def _dotted(key: str) -> str:
    root, dot, rest = key.partition(".")
    return f"{_key(root)}.{_key(rest)}" if dot else _key(key)


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else toml_value(text)


def toml_value(value: Any) -> str:
    """Return a value as TOML: texts, numbers, true, lists of texts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    # The escapes of JSON are those of a basic string of TOML, which also asks for that of DEL.
    text = str(value).encode("utf-8", "replace").decode()
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
