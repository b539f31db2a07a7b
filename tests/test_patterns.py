"""Every regular expression of the code is matched in linear time: those in the code are found, not listed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.esri.query import _EVERYTHING, _LITERAL
from api.http.forwarded import _PREFIX
from api.serializers.load_report import _general
from layers.query.name_search import _patterns
from layers.query.text_operators import _pattern
from layers.sources.osm.elements import tags_of
from layers.sources.osm.tags import _POWERS, megawatts
from layers.sources.reader.coordinates import DateFormat
from layers.sources.reader.owner_grammar import Owner, _joint_owners
from layers.text import company_names
from tests.linear_time import NotModelled, Use, prove
from tests.patterns import ROOT, UsedPattern, used_patterns

PATTERNS = used_patterns()
#: Where an expression is put together at run time: each has a test of its own below.
BUILT = (
    "layers/collections/column_values.py",
    "layers/query/name_search.py",
    "layers/query/text_operators.py",
    "layers/sources/reader/coordinates.py",
)


@pytest.mark.parametrize("used", [used for used in PATTERNS if used.pattern is not None], ids=str)
def test_a_pattern_of_the_code_is_linear(used: UsedPattern) -> None:
    assert used.uses, "a pattern that nothing uses"
    for use in used.uses:
        proof = prove(used.pattern, used.flags, use)
        assert proof, f"{used.pattern!r} as {use} is not linear in repetitions of {proof.word!r}"


def test_patterns_that_are_built_at_run_time_are_known() -> None:
    assert sorted(used.where.partition(":")[0] for used in PATTERNS if used.pattern is None) == sorted(BUILT)


@given(st.text("ab%_\\.*(", max_size=12).filter(lambda text: not re.search(r"(?<!\\)(\\\\)*\\$", text)))
def test_a_pattern_of_like_is_linear(text: str) -> None:
    assert prove(_pattern(text, "").expression.pattern, re.DOTALL, "fullmatch")


@given(st.text("YMD.-/ ", max_size=12))
def test_a_date_format_is_linear(text: str) -> None:
    if form := DateFormat.of(text):
        assert prove(form.pattern.pattern, 0, "fullmatch")


@given(st.text("a.*+(", min_size=1, max_size=6))
def test_the_search_for_an_escaped_text_is_linear(text: str) -> None:
    assert prove(re.escape(text), 0, "search")


@given(st.text("a.*+(", min_size=1, max_size=6))
def test_the_patterns_of_a_name_are_linear(text: str) -> None:
    assert all(prove(pattern, 0, "search") for pattern in _patterns(text))


def test_pydantic_matches_by_automata() -> None:
    """Its patterns run in linear time, unless a model asks for Python's own matcher."""
    texts = [path.read_text() for ring in ("geo", "layers", "api") for path in (ROOT / ring).rglob("*.py")]
    assert not [text for text in texts if "python-re" in text]


LINEAR: list[tuple[str, Use]] = [
    (r"a+b", "fullmatch"),
    (r"\w+\d", "fullmatch"),
    (r"[^a-z0-9]+", "search"),
    (r"(?:ab)+", "search"),
    (r"\[[^\[\]]*$", "search"),
    (r"\[[^\]]*\]?", "search"),
    (r"(?<!\d)\d+x", "search"),
    (r"^a+x", "search"),
    (r"(?m)^a+x", "search"),
    (r"\d++x", "match"),
    (r"\s*+[^%]*+x", "match"),
    (r"(?>.*?a)(?>.*?b.c).*d", "fullmatch"),
    (r"[^\W_]+(?:['-][^\W_]+)*", "search"),
    (r"(sh|ch|[a-z])\1+", "search"),
]
SLOW: list[tuple[str, Use]] = [
    (r"a+b", "search"),
    (r"a+a+b", "fullmatch"),
    (r"\w*\d*x", "fullmatch"),
    (r"(a+)+b", "match"),
    (r"(a*)*b", "match"),
    (r"(a|a)*b", "match"),
    (r"(?:a|b|ab)*c", "match"),
    (r"(?>(?:a+)+)b", "match"),
    (r"(?:(?>a*)b?)*c", "match"),
    (r"a([ab]*c)?", "search"),
    (r"\([^)]*(?:\d|%)[^)]*\)", "search"),
    (r"\[[^\]]*\]", "search"),
    (r"\s*([^%,]+?)\s*[(]", "search"),
    (r"a*b?a*$", "match"),
    (r"(?i)a+A+b", "match"),
    (r"<b>.*?</b>", "search"),
]


@pytest.mark.parametrize(("pattern", "use"), LINEAR)
def test_the_proof_accepts_what_is_linear(pattern: str, use: Use) -> None:
    assert prove(pattern, 0, use)


@pytest.mark.parametrize(("pattern", "use"), SLOW)
def test_the_proof_shows_the_word_that_is_not_linear(pattern: str, use: Use) -> None:
    assert prove(pattern, 0, use).word


@pytest.mark.parametrize("pattern", [r"(?=a*b)c", r"(?i:a)b", r"(a)?(?(1)b|c)"])
def test_what_cannot_be_modelled_is_refused(pattern: str) -> None:
    with pytest.raises(NotModelled):
        prove(pattern)


# What was written in another way to be linear finds what the plain pattern finds, which is tried on short texts.


_JOINT = re.compile(r"\s*([^%,，、]+?)\s*[(（]\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*[)）]\s*(?:[,，、]|$)")


def _joint_by_pattern(owner: Owner) -> list[tuple[str, float]]:
    matches = list(_JOINT.finditer(owner.name))
    if len(matches) < 2 or sum(len(part[0]) for part in matches) != len(owner.name):
        return []
    shares = [float(part[2]) for part in matches]
    return list(zip((part[1] for part in matches), shares, strict=True)) if abs(sum(shares) - 100) <= 0.5 else []


_HALF = st.tuples(st.text("aB (（)", max_size=4), st.sampled_from(["(50%)", " ( 50.0 % ) ", "（50%）", "(50", "(5%)"]))


@given(st.lists(_HALF, max_size=3), st.sampled_from([",", "，", ", ", ""]), st.booleans())
def test_owners_within_a_name(parts: list[tuple[str, str]], comma: str, ends: bool) -> None:
    name = " ".join((comma.join(map("".join, parts)) + comma * ends).split())
    owner = Owner(name, 100.0, name)
    assert [(one.name, one.share) for one in _joint_owners(owner)] == _joint_by_pattern(owner)


@given(
    st.dictionaries(
        st.text('a"\\ =>,', min_size=1, max_size=4), st.text('a"\\ =>,', min_size=1, max_size=4) | st.none()
    )
)
def test_hstore(tags: dict[str, str | None]) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    text = ", ".join(f"{quoted(name)}=>{'NULL' if value is None else quoted(value)}" for name, value in tags.items())
    assert tags_of({"other_tags": text}) == {name: value for name, value in tags.items() if value}


@pytest.mark.parametrize("text", ['"a"=>"b', '"a"=>', '"a', '"a\\', "", '"', '"a" "b"=>"c"', '"a"=>NULL'])
def test_hstore_that_is_cut_short(text: str) -> None:
    assert tags_of({"other_tags": text}) == ({"b": "c"} if "c" in text else {})


@given(st.text("15,. kMWh_", max_size=8))
def test_megawatts(text: str) -> None:
    plain = re.fullmatch(r"([0-9]+(?:\.[0-9]+|,[0-9]{1,2}|,[0-9]{4,})?)\s*(\w+)", text.strip())
    unit = _POWERS.get(plain[2].casefold()) if plain else None
    expected = round(float(plain[1].replace(",", ".")) * unit, 9) if plain and unit else None
    assert megawatts({"plant:output:electricity": text}) == expected


@given(st.text("a5%()[] LEI", max_size=12))
def test_notes_in_the_name_of_a_company(text: str) -> None:
    plain = re.sub(r"\([^)]*(?:\d|%|\bLEI\b)[^)]*\)", " ", re.sub(r"\[[^\]]*\]", " ", text))
    assert company_names.without_notes(text) == plain


@given(st.text("a5: ", max_size=12))
def test_expectations_without_their_row(text: str) -> None:
    assert _general(text) == re.sub(r"\S+:\d+", "...", text)


@given(st.text("/.a~", max_size=8))
def test_prefixes_of_a_proxy(text: str) -> None:
    plain = re.compile(r"(/(?!\.+(/|$))[A-Za-z0-9._~-]+)+")
    assert bool(_PREFIX.fullmatch(text)) == bool(plain.fullmatch(text))


@given(st.text("1=( )", max_size=10))
def test_where_clauses_that_select_everything(text: str) -> None:
    plain = re.fullmatch(r"\s*\(?\s*1\s*=\s*1\s*\)?\s*", text)
    assert bool(_EVERYTHING.fullmatch(text)) == bool(plain)


@given(
    st.lists(st.sampled_from(["'", "''", "'a'", '"b"', "DATE '", "2025-01-01", "a", "\\", " "]), max_size=8).map(
        "".join
    )
)
def test_literals_of_a_where_clause(text: str) -> None:
    plain = re.compile(
        r"""\b(?:DATE|TIMESTAMP)\s*'(?P<time>[^']*)'|(?P<text>'(?:[^']|'')*+')|(?P<name>"(?:[^"]|"")*+")""",
        re.IGNORECASE,
    )
    if not set("'\"") & set(plain.sub("", text)):
        assert [match.groups() for match in _LITERAL.finditer(text)] == [
            match.groups() for match in plain.finditer(text)
        ]
