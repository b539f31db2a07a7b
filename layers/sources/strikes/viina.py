"""Reads VIINA: events of 1.0, the split files of 2.0, and tables derived from it, each known by its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layers.model.read_result import Place, Reading
from layers.sources.files.limits import Refused
from layers.sources.files.sniffing import Head
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from layers.sources.reader.format import Format, Request
from layers.sources.strikes.event_codes import VIINA_ATTACKS
from layers.sources.strikes.field_mapping import Faulty, Row, is_set, made, quote
from layers.sources.strikes.strike_builder import Said, StrikeLoad, Terms
from layers.sources.strikes.viina_events import MAPPING, reports_of, text_of
from layers.sources.strikes.viina_registers import REGISTERS, read_register

TERMS = Terms(
    format="viina",
    publisher="VIINA, Yuri Zhukov and Natalie Ayers",
    title="VIINA 2.0: Violent Incident Information from News Articles; contains information from VIINA under the ODbL",
    url="https://github.com/zhukovyuri/VIINA",
    licence="ODbL 1.0",
)
DERIVED_TERMS = Terms(
    format="viina",
    publisher="VIINA, Yuri Zhukov and Natalie Ayers; filtered by wolfgangkrugmo-del",
    title="VIINA 2.0 events filtered to infrastructure targets; contains information from VIINA under the ODbL",
    url="https://github.com/wolfgangkrugmo-del/viina-data-extraction",
    licence="ODbL 1.0",
)

#: What a file is, by columns it has and columns it has not.
_KINDS: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = (
    ("derived", frozenset({"event_id_1pd", "representative_text", "asciiname"}), frozenset()),
    ("events", frozenset({"event_id", "text", "geo_precision", "t_mil_b"}), frozenset()),
    ("info", frozenset({"event_id", "event_id_1pd", "text", "geo_precision"}), frozenset({"t_mil_b"})),
    ("labels", frozenset({"event_id", "event_id_1pd", "t_mil_b"}), frozenset({"text"})),
    ("1pd", frozenset({"event_id_1pd", "n_reports", "geo_precision", "t_mil_b"}), frozenset({"text"})),
    *((kind, columns, frozenset()) for kind, columns in REGISTERS.items()),
)


def read(files: Sequence[SourceFile], request: Request) -> Reading:
    """Read files of VIINA together; see ``MAPPING``.

    ``event_info`` needs its ``event_labels`` or ``event_1pd`` beside it, which say what a report is of. Reports of one
    ``event_id_1pd`` become one strike with each report as a source.

    Raises
    ------
    Refused
        If a file is none of VIINA's, or there are labels and no events.
    """
    tables = [(kind_of(table.header, file.name), table) for file in files for table in (file.table(),)]
    kinds = {kind for kind, _ in tables}
    if "labels" in kinds and not kinds & {"info", "1pd"}:
        raise Refused(files[0].name, "files", "event_labels alone", "event_info of the same year beside it")
    derived = kinds & {"derived", *REGISTERS}
    load = StrikeLoad(request, DERIVED_TERMS if derived else TERMS)
    labels = _labels(tables, load) if "info" in kinds else {}
    for kind, table in tables:
        if kind in REGISTERS:
            read_register(kind, table, load)
        elif kind == "labels" or (kind == "1pd" and "info" in kinds):
            continue
        else:
            for number, cells in table:
                _row(kind, _whole(kind, cells, labels), Place(table.file, number), load)
            load.bad_rows(table)
    return load.reading()


def kind_of(header: Sequence[str], file: str) -> str:
    """What a table is: derived, events (1.0), info, labels, 1pd or a register.

    Raises
    ------
    Refused
        If it is none.
    """
    columns = {name.casefold() for name in header}
    for kind, there, absent in _KINDS:
        if there <= columns and not absent & columns:
            return kind
    raise Refused(file, "columns", ", ".join(header)[:100], "a file of VIINA 1.0 or 2.0, or a table derived from it")


def _labels(tables: Sequence[tuple[str, RowTable]], load: StrikeLoad) -> dict[tuple[str, str], Mapping[str, str]]:
    """The labels of each report (event_labels) and of each event (event_1pd) that are 1."""
    found: dict[tuple[str, str], Mapping[str, str]] = {}
    for kind, table in tables:
        key = {"labels": "event_id", "1pd": "event_id_1pd"}.get(kind)
        if key is None:
            continue
        for _, cells in table:
            row = Row(cells)
            found[key, row[key]] = {name: "1" for name in row if name.endswith("_b") and is_set(row, name)}
        load.bad_rows(table)
    return found


def _whole(kind: str, cells: Mapping[str, str], labels: Mapping[tuple[str, str], Mapping[str, str]]) -> Row:
    """A row with its labels: those of its report, else of its event; in derived tables the column has no ``_b``."""
    row = Row(cells)
    if kind == "info":
        at = (("event_id", row["event_id"]), ("event_id_1pd", row["event_id_1pd"]))
        known = next((labels[key] for key in at if key in labels), None)
        return row if known is None else Row({**row, **known, "labels": "1"})
    if kind == "derived":
        return Row({**row, **{row[f"{name}_field"]: row[name] for name in row if row[f"{name}_field"]}})
    return row


def _row(kind: str, row: Row, place: Place, load: StrikeLoad) -> None:
    if (reason := _no_strike(kind, row)) is not None:
        load.skip(reason)
        return
    key = f"1.0-{row['event_id']}" if "event_id_1pd" not in row else row["event_id_1pd"]
    values, faults = made(MAPPING, row)
    if not key.removeprefix("1.0-").isdigit():
        faults.append(Faulty("event_id_1pd" if "event_id_1pd" in row else "event_id", key or "(missing)", "a number"))
    if faults:
        load.reject(place, key or "(no id)", faults)
        return
    reports = reports_of(row)
    said = [
        Said("targets", phrase, quote(text_of(row), phrase), 0 if len(reports) == 1 else None)
        for phrase in values["targets"][:2]
    ]
    if load.has(key):
        load.join(key, reports if kind == "info" else (), place)
        load.skip("a further report of an event that is loaded" if kind == "info" else "an event that was read before")
    else:
        load.strike(place, key, values, reports, said)


def _no_strike(kind: str, row: Row) -> str | None:
    """Why a sound row is no strike; None if it is one."""
    if kind == "derived":
        judged = "DROP_NOT_EVENT" in row["reviewdecisionauto"] or row["eventgate"] == "FAIL"
        return "no fresh attack, by the table's own review" if judged else None
    if kind == "info" and not row["labels"]:
        return "no labels are given for the report"
    if not is_set(row, "t_mil_b"):
        return "not about military operations (t_mil_b)"
    return None if is_set(row, *VIINA_ATTACKS) else "no attack on a place (no label of one)"


def recognises(head: Head) -> bool:
    """Whether a table has the columns of one of VIINA's files."""
    try:
        return head.container in ("table", "workbook") and bool(kind_of(head.columns, head.name))
    except Refused:
        return False


FORMAT = Format(
    name="viina",
    title="VIINA 1.0 and 2.0, and tables derived from it",
    gives="strikes",
    licence=TERMS.licence,
    recognises=recognises,
    read=read,
    known_by="event_id or event_id_1pd with text, GEO_PRECISION, t_mil_b; or representative_text; or a target register",
)
