"""Changes by lot in the structure of texts: rows and cells of CSV, the tree of JSON, the entries of TOML."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from typing import Any, Literal

from bench.fuzz.hostile_values import hostile_text, run

#: How often a row or value is repeated at most: what costs more than its size shows, and what costs its size does not.
_TIMES = (1, 1, 2, 3, 10, 100, 400)
#: Most bytes that a file grows to by repetition.
MAX_BYTES = 1_500_000

Rows = list[list[str]]


def change_csv(chance: random.Random, data: bytes) -> bytes:
    """Return a table with one change; written with another sign, quoting, line end or encoding now and then."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = data.decode(encoding, errors="surrogateescape" if encoding == "utf-8-sig" else "replace")
    sign = max(",;\t", key=text.partition("\n")[0].count)
    before = csv.field_size_limit(1 << 27)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=sign))
    except csv.Error:
        rows = [line.split(sign) for line in text.splitlines()]
    finally:
        csv.field_size_limit(before)
    _change_rows(chance, rows)
    if chance.random() < 0.1:
        sign = chance.choice(",;\t")
    return _written(chance, rows, sign)


def _change_rows(chance: random.Random, rows: Rows) -> None:
    if not rows or not any(rows):
        rows.append([hostile_text(chance, "", [])])
        return
    row = chance.choice([row for row in rows[1:] if row] or [row for row in rows if row])
    at = chance.randrange(len(row))
    others = [cell for other in rows for cell in other[:50]][:500]
    way = chance.random()
    if way < 0.6:
        row[at] = hostile_text(chance, row[at], others)
    elif way < 0.66:  # a whole column
        odd = hostile_text(chance, row[at], others)
        odd = odd[: MAX_BYTES // len(rows)]
        for other in rows[1:]:
            if at < len(other):
                other[at] = odd
    elif way < 0.72:
        other = chance.choice(rows)
        place = chance.randrange(len(other) or 1)
        if other:
            row[at], other[place] = other[place], row[at]
    elif way < 0.8:
        size = sum(map(len, row)) + 1
        rows[1:1] = [list(row) for _ in range(min(chance.choice(_TIMES), MAX_BYTES // size))]
    elif way < 0.84:  # rows that differ by an id or name alone, such as many owners of one thing
        size = sum(map(len, row)) + 1
        count = min(chance.choice(_TIMES), MAX_BYTES // size)
        rows += [[f"{cell}{n}" if place == at else cell for place, cell in enumerate(row)] for n in range(count)]
    elif way < 0.88:
        rows.remove(row)
    elif way < 0.92:
        _change_header(chance, rows, at)
    elif way < 0.96:
        count = chance.choice((1, 2, 50, 3000))
        row[at:at] = [hostile_text(chance, "", others)[: MAX_BYTES // count]] * count
    else:
        del row[at : at + chance.choice((1, 1, 5))]


def _change_header(chance: random.Random, rows: Rows, at: int) -> None:
    header = rows[0]
    place = min(at, len(header) - 1)
    if place < 0:
        return
    way = chance.randrange(4)
    if way == 0:
        header[place] = hostile_text(chance, header[place], header)
    elif way == 1:
        header[place] = chance.choice(header)
    elif way == 2:
        for row in rows:
            del row[place : place + 1]
    else:
        count = chance.choice((1, 3, 2500))
        for row in rows:
            row += [cell[: MAX_BYTES // (count * len(rows))] for cell in row[place : place + 1]] * count


def _written(chance: random.Random, rows: Rows, sign: str) -> bytes:
    quoting: Literal[0, 1] = csv.QUOTE_ALL if chance.random() < 0.1 else csv.QUOTE_MINIMAL
    end = chance.choice(("\n", "\n", "\r\n", "\r\n", "\r", "\n\n"))
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=sign, quoting=quoting, lineterminator=end).writerows(rows)
    encoding = chance.choices(("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"), (10, 3, 1, 1, 1))[0]
    errors = "replace" if encoding == "cp1252" else "surrogatepass"
    text = out.getvalue()
    if encoding == "utf-8" and chance.random() < 0.5:
        return text.encode("utf-8", "surrogateescape" if _has_escaped(text) else "surrogatepass")
    return text.encode(encoding, errors)


def _has_escaped(text: str) -> bool:
    """Whether all half pairs of a text are bytes that were no UTF-8."""
    return all("\udc80" <= letter <= "\udcff" for letter in text if "\ud800" <= letter <= "\udfff")


# --- JSON -----------------------------------------------------------------------------------------------------------

#: What json.dumps would never write, by the text that stands for it until it is written.
_RAW = {
    "@raw-deep-list@": "[" * 20_000 + "]" * 20_000,
    "@raw-deep-object@": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "@raw-medium@": '{"a":[' * 200 + "1" + "]}" * 200,
    "@raw-huge@": "1e400",
    "@raw-long@": "9" * 5000,
    "@raw-big@": "18446744073709551616",
    "@raw-minus@": "-9223372036854775809",
    "@raw-zero@": "-0.0",
    "@raw-nan@": "NaN",
    "@raw-infinity@": "-Infinity",
    "@raw-half@": '"\\ud800"',
    "@raw-nul@": '"\\u0000"',
    "@raw-twice@": '{"id":1,"id":[2],"type":"Feature","type":null}',
    "@raw-open@": '{"type": "Feature", ',
}
_SCALARS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, -(2**63), 2**64 - 1, 0.5, 1e308, -1e-308, 91, 181, -181.5, "", [],
    {},
    [[]], [None], {"": None}, [{}], {"a": {"b": []}},
)  # fmt: skip

Spot = tuple[Any, Any]  # a list or object, and the position or key in it


def change_json(chance: random.Random, data: bytes) -> bytes:
    """Return a JSON document with one change in its tree; what is no JSON, or too deep for Python, stays as it is."""
    try:
        document = json.loads(data.decode("utf-8-sig", errors="replace"))
        spots = list(_spots(document))
    except (ValueError, RecursionError):
        return data
    if spots:
        _change_tree(chance, spots, len(data))
    elif chance.random() < 0.5:
        document = _hostile_json(chance, document, [])
    try:
        text = json.dumps(document, ensure_ascii=chance.random() < 0.5, indent=chance.choice((None, None, 1)))
    except (ValueError, RecursionError):
        return data
    for word, raw in _RAW.items():
        text = text.replace(f'"{word}"', raw)
    if chance.random() < 0.03 and isinstance(document, list):  # JSON Lines
        text = "\n".join(json.dumps(value) for value in document)
    return text.encode("utf-8", "surrogatepass")


def _spots(document: Any) -> Iterator[Spot]:
    waiting = [document]
    while waiting:
        value = waiting.pop()
        keys: Any = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        for key in keys:
            yield value, key
            waiting.append(value[key])


def _change_tree(chance: random.Random, spots: list[Spot], size: int) -> None:
    # Parts high in the tree are few, and many readers look at them alone.
    inside, key = chance.choice(spots if chance.random() < 0.8 else spots[: max(1, len(spots) // 20)])
    texts = [str(value[at]) for value, at in spots[:400] if isinstance(value[at], str)]
    way = chance.random()
    if way < 0.6:
        inside[key] = _hostile_json(chance, inside[key], texts)
    elif way < 0.68:
        del inside[key]
    elif way < 0.78:
        other, place = chance.choice(spots)
        inside[key] = json.loads(json.dumps(other[place]))
    elif way < 0.9 and isinstance(inside, list):
        item = json.dumps(inside[key])
        count = min(chance.choice(_TIMES), max(1, (MAX_BYTES - size) // (len(item) + 1)))
        copies = [json.loads(item) for _ in range(count)]
        if chance.random() < 0.5:
            _number(chance, copies)
        inside[key:key] = copies
    elif isinstance(inside, dict):
        new = hostile_text(chance, str(key), texts + [str(at) for _, at in spots[:400]])
        inside[new[:2000]] = inside.pop(key) if chance.random() < 0.7 else inside[key]
    else:
        inside.append(_hostile_json(chance, None, texts))


def _number(chance: random.Random, copies: list[Any]) -> None:
    """Make one text or number of each copy another, so that they are told apart by it alone."""
    for number, copy in enumerate(copies):
        spots = [(inside, key) for inside, key in _spots(copy) if isinstance(inside[key], str | int)]
        if not spots:
            return
        inside, key = spots[chance.randrange(len(spots)) if number == 0 else 0]
        inside[key] = f"{inside[key]}{number}" if isinstance(inside[key], str) else number


def _hostile_json(chance: random.Random, before: Any, texts: list[str]) -> Any:
    way = chance.random()
    if way < 0.15:
        return chance.choice(tuple(_RAW))
    if way < 0.4:
        return chance.choice(_SCALARS)
    if way < 0.5:
        return [before] if chance.random() < 0.5 else {"value": before, "id": before, "type": before}
    if way < 0.55:
        return str(before)
    if way < 0.65 and isinstance(before, int | float):
        return before * chance.choice((-1, 1000, 1e300, 0.1))
    if way < 0.7 and isinstance(before, list):
        return before[: len(before) // 2] if chance.random() < 0.5 else before[::-1] * 2
    return hostile_text(chance, before if isinstance(before, str) else "", texts)


# --- TOML -----------------------------------------------------------------------------------------------------------

_ENTRY = re.compile(r"^(\s*[\w.\"'*-]+\s*=\s*)(.*)$", re.DOTALL)
_LITERALS = (
    "[" * 5000 + "]" * 5000, "{a = " * 3000 + "1" + "}" * 3000, "9" * 5000, "1e400", "nan", "-inf", "0x" + "f" * 400,
    "9999-12-31", "0001-01-01T00:00:00-23:59", "9999-12-31T23:59:59+23:59", "00:00:00", "2025-02-30", "true", "''",
    '""',
    "[]", "{}", "[[1], 'a']", "{a = 1}", '"\\ud800"', '"\\u0000"', '"""', "'''", "1979-05-27 07:32:00Z",
    "[1, 2, 3]", "a.b.c = 1", "{a.b = 1, a = 2}", "18446744073709551616", "0.1", "-1",
)  # fmt: skip


def change_toml(chance: random.Random, data: bytes) -> bytes:
    """Return a TOML text with one change in a line: an entry, the head of a table, their order or number."""
    lines = data.decode("utf-8", errors="surrogateescape").split("\n")
    at = chance.randrange(len(lines))
    if not lines[at].strip():
        at = chance.randrange(len(lines))
    entry, way = _ENTRY.match(lines[at]), chance.random()
    if way < 0.3 and entry:
        lines[at] = entry[1] + chance.choice(_LITERALS)
    elif way < 0.6 and entry:
        lines[at] = entry[1] + _toml_text(hostile_text(chance, entry[2].strip("\"'[]"), lines[:200]))
    elif way < 0.7 and entry:
        other = chance.choice([line for line in lines if _ENTRY.match(line)])
        lines[at] = entry[1] + other.partition("=")[2]
    elif way < 0.78:
        lines[at:at] = lines[max(0, at - 10) : at] * min(chance.choice(_TIMES), 100)
    elif way < 0.86:
        del lines[at : at + chance.choice((1, 1, 1, 5))]
    elif way < 0.92:
        head = chance.choice(
            ("[a]", "[[a]]", "[columns]", "[columns.id]", "[[strikes]]", "[a" + ".a" * 3000 + "]", "[", "]]")
        )
        lines.insert(at, head)
    elif entry:
        lines[at] = entry[1].replace("=", chance.choice((".x =", " ", "==", ".a.b.c =", "= [", "= {"))) + entry[2]
    else:
        lines[at] = run(chance, lines[at]) if way < 0.95 else hostile_text(chance, lines[at], lines[:200])
    return "\n".join(lines).encode("utf-8", "surrogatepass" if not _has_escaped("".join(lines)) else "surrogateescape")


def _toml_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
