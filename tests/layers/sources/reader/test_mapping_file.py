"""A column mapping names every fault of itself at once, before any row is read."""

from pathlib import Path

import pytest

from layers.model.problems import ProblemsError
from layers.sources.reader import mapping_file
from layers.sources.reader.coordinates import DateFormat
from tests.layers.english import english, raises
from tests.layers.sources.column_mapping.mapped_files import ASSETS, STRIKES


def faults(text: str) -> dict[str, str]:
    """Where in a mapping something is wrong, and what was expected."""
    with pytest.raises(ProblemsError) as raised:
        mapping_file.parse("own.toml", text)
    assert {problem.file for problem in raised.value.problems} == {"own.toml"}
    return {problem.column: problem.expected for problem in english(raised.value.problems)}


def test_a_whole_mapping_is_what_it_says() -> None:
    made = mapping_file.parse("own.toml", STRIKES)
    assert (made.table, made.decimal, made.private, made.layer) == ("strikes", ",", False, None)
    assert made.columns["weapon"] == "With"
    assert made.units == {"uncertainty_m": 1000.0}
    assert [one.text for one in made.dates["when"]] == ["DD.MM.YYYY", "MM.YYYY", "YYYY"]
    assert mapping_file.parse("own.toml", ASSETS.format(place='wkt = "W"')).layer == "Sites"


def test_what_has_no_shape_of_a_mapping_is_all_told() -> None:
    told = faults(
        """
        table = "wars"
        colums = {}
        dates = "DD.MM.YYYY"
        layer = 3
        private = "no"
        [columns]
        id = 1
        title = ""
        [values]
        status = {confirmed = 1}
        [lists]
        targets = ""
        [units]
        uncertainty_m = 1000
        """
    )
    assert set(told) == {
        "table", "colums", "dates", "layer", "private", "source", "columns.id", "columns.title", "values.status",
        "lists.targets", "units.uncertainty_m",
    }  # fmt: skip
    assert told["table"] == "one of strikes, assets, entities, stakes, relations"


def test_names_of_columns_are_bounded_as_every_fault_repeats_them() -> None:
    longest = STRIKES.replace('"What"', f'"{"x" * 1000}"')
    assert mapping_file.parse("own.toml", longest).columns["title"] == "x" * 1000
    assert faults(longest.replace("x" * 1000, "x" * 1001)) == {"columns.title": "a text of 1 to 1000 letters"}


@pytest.mark.parametrize("table", ["source", "units", "lists", "grammar", "numbers"])
def test_a_table_in_the_place_of_a_text_is_a_fault(table: str) -> None:
    told = faults(f'table = "assets"\nsource.publisher = "P"\ncolumns.id = "n"\n{table}.name = {{ uk = ";" }}')
    assert told[f"{table}.name"] == "a text of 1 to 1000 letters"


def test_what_the_schema_does_not_have_or_take_is_all_told() -> None:
    told = faults(
        """
        table = "assets"
        [source]
        published = "last year"
        url = "example.org"
        author = "A"
        [columns]
        id = "n"
        dataset = "d"
        weapon = "w"
        names.uk = "uk"
        external_ids = "x"
        lon = "E"
        [constants]
        id = "one"
        kind = "depot"
        uncertainty_m = -1
        geometry = "POINT (200 0)"
        [values.kind]
        "NPZ" = "rafinery"
        "*" = ""
        [values.id]
        "a" = "b"
        [dates]
        when = "DD.MM.YYYY"
        [units]
        capacity = "km"
        uncertainty_m = "verst"
        [lists]
        name = ";"
        [numbers]
        decimal = "."
        thousands = ","
        """
    )
    assert set(told) == {
        "source.publisher", "source.published", "source.url", "source.author",
        "columns.dataset", "columns.weapon", "columns.external_ids", "columns.name", "columns.lat", "columns.basis",
        "constants.id", "constants.kind", "constants.uncertainty_m", "constants.geometry",
        "values.kind.NPZ", "values.id", "dates.when", "units.capacity", "units.uncertainty_m", "lists.name",
        "numbers.thousands",
    }  # fmt: skip
    assert told["columns.basis"].endswith("basis is required")
    assert "owner" in told["columns.weapon"]
    assert "oil-depot" in told["constants.kind"]
    assert told["units.uncertainty_m"] == "one of m, km, mi, ft, nmi"


@pytest.mark.parametrize("text", ["DD.MM", "DD YYYY", "MM.MM.YYYY", "DD.MM.YY", "day", "YYYY-MM-DDTHH", ""])
def test_a_date_that_names_no_day_is_refused(text: str) -> None:
    assert DateFormat.of(text) is None
    told = faults(STRIKES.replace('["DD.MM.YYYY", "MM.YYYY", "YYYY"]', f'["YYYY", "{text}"]'))
    assert set(told) == {"dates.when"}


@pytest.mark.parametrize(
    ("was", "becomes", "column"),
    [
        ('decimal = ","', 'decimal = ";"', "numbers.decimal"),
        ('basis = "settlement"', "", "columns.basis"),
        ('basis = "settlement"', 'basis = "town"', "constants.basis"),
        ('host_country = "UA"', 'lon = "30,5"', "constants.lon"),
        ('id = "No"', "", "columns.id"),
        ('id = "No"\n', 'id = "No"\nnames.uk = "N"\n', "columns.names.uk"),
        ('status = "State"', "", "columns.status"),
        ('"confirmed" = "verified"', '"confirmed" = "sure"', "values.status.confirmed"),
        ('"depot" = "oil-depot"', '"depot" = "depot"', "values.target_kinds.depot"),
        ("[values.target_kinds]", "[values.barns]", "values.barns"),
    ],
)
def test_one_fault_is_one_fault(was: str, becomes: str, column: str) -> None:
    assert was in STRIKES
    assert set(faults(STRIKES.replace(was, becomes, 1))) == {column}


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    with raises(ProblemsError, match=r"own\.toml: mapping: syntax = .* line 2"):
        mapping_file.parse("own.toml", 'table = "strikes"\ntitle = What\n')
    path = tmp_path / "own.toml"
    path.write_bytes(STRIKES.replace("Sample archive", "Größe").encode("cp1252"))
    with raises(ProblemsError, match=r"own\.toml: mapping: encoding = .* expected TOML, which is UTF-8"):
        mapping_file.read(path)


def test_a_byte_order_mark_is_no_part_of_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(STRIKES.encode("utf-8-sig"))
    assert mapping_file.read(path) == mapping_file.parse("own.toml", STRIKES)


@pytest.mark.parametrize("noun", mapping_file.MAPPED_TABLES)
def test_an_empty_mapping_says_what_each_noun_needs(noun: str) -> None:
    told = faults(f'table = "{noun}"\nsource.publisher = "P"\n[columns]\n')
    assert (
        set(told)
        == {
            "strikes": {"columns.id", "columns.title", "columns.when", "columns.place", "columns.status"},
            "assets": {"columns.id", "columns.name", "columns.kind"},
            "entities": {"columns.id", "columns.name", "columns.type"},
            "stakes": {"columns.id", "columns.owned", "columns.owner", "columns.share_min", "columns.share_max"},
            "relations": {"columns.id", "columns.asset", "columns.entity", "columns.relation"},
        }[noun]
    )
