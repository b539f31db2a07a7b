"""Write a store as SQL text: ``python tests/data/stores/dump.py atlas.gpkg > COMMIT.sql``. Needs no project code."""

from __future__ import annotations

import sqlite3
import sys

#: Tables that SQLite and its spatial index keep themselves.
_SHADOW = ("_node", "_parent", "_rowid")
_ORDER = "CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END, rowid"


def main(path: str) -> None:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    for pragma in ("application_id", "user_version"):
        (value,) = connection.execute(f"PRAGMA {pragma}").fetchone()
        print(f"PRAGMA {pragma} = {value};")
    print("BEGIN;")
    query = f"SELECT type, name, sql FROM sqlite_master WHERE sql NOTNULL ORDER BY {_ORDER}"
    rows = connection.execute(query).fetchall()
    tables = [name for kind, name, _ in rows if kind == "table" and name != "sqlite_sequence"]
    own = [name for name in tables if not (name.startswith("rtree_") and name.endswith(_SHADOW))]
    for kind, name, sql in rows:
        if kind == "table" and name in own:
            print(f"{sql};")
            columns = [column for (column,) in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))]
            values = " || ', ' || ".join(f'quote("{column}")' for column in columns)
            for (line,) in connection.execute(f'SELECT {values} FROM "{name}"').fetchall():
                print(f'INSERT INTO "{name}" VALUES ({line});')
    print("DELETE FROM sqlite_sequence;")
    for name, seq in connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall():
        print(f"INSERT INTO sqlite_sequence VALUES ('{name}', {seq});")
    for kind, _, sql in rows:
        if kind != "table":
            print(f"{sql};")
    print("COMMIT;")


main(sys.argv[1])
