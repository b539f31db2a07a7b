"""Independent reports: an agency and all who retell it are one, and data is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.model.records import Source, Strike
from layers.resolution.independent_reports import reporters, reporters_of

NAMES = st.sampled_from(("AFP", "afp", "Reuters", "Daily News", "Daily News (Reuters)", "Trend", "Trend (AFP)"))
SOURCES = st.lists(
    st.builds(
        lambda publisher, agency, licence: Source(
            id="s", publisher=publisher, same_report_as=agency, licence=licence
        ),
        NAMES,
        st.none() | st.sampled_from(("AFP", "Reuters")),
        st.sampled_from((None, None, "CC BY 4.0")),
    ),
    max_size=6,
)  # fmt: skip


def page(publisher: str, agency: str | None = None, licence: str | None = None) -> Source:
    return Source(id="s", publisher=publisher, same_report_as=agency, licence=licence)


@pytest.mark.parametrize(
    ("sources", "number"),
    [
        ([], 0),
        ([page("Trend"), page("Trend")], 1),
        ([page("Trend"), page("Babel")], 2),
        ([page("Trend", "AFP"), page("Babel", "AFP"), page("AFP")], 1),
        ([page("Trend", "AFP"), page("Babel", "Reuters"), page("AFP")], 2),
        ([page("Nasdaq (Reuters)"), page("MarketScreener (Reuters)"), page("Reuters")], 1),
        ([page("Trend"), page("Trend", "AFP")], 2),
        ([page("Interfax-Ukraine"), page("Interfax Ukraine")], 1),
        ([page("GeoNames", licence="CC BY 4.0")], 0),
        ([page("Trend"), page("Global Energy Monitor", licence="CC BY 4.0")], 1),
        ([page("«»"), page("–")], 2),
    ],
)
def test_sources_of_one_report_are_one(sources: list[Source], number: int) -> None:
    assert len(reporters(sources)) == number


@given(SOURCES, SOURCES)
def test_reporters_are_those_of_the_parts_together(some: list[Source], others: list[Source]) -> None:
    assert reporters(some + others) == reporters(some) | reporters(others) == reporters(others + some)
    assert len(reporters(some)) <= len(some)


@given(SOURCES)
def test_a_source_that_retells_one_of_them_adds_no_reporter(sources: list[Source]) -> None:
    for source in sources:
        if source.licence is None:
            agency = source.same_report_as or source.publisher.partition(" (")[2].removesuffix(")") or source.publisher
            assert reporters([*sources, page("Elsewhere", agency)]) == reporters(sources)
            assert reporters([*sources, page(agency)]) == reporters(sources)


@given(SOURCES, st.sampled_from(("CC0-1.0", "ODbL 1.0")))
def test_data_adds_no_reporter(sources: list[Source], licence: str) -> None:
    assert reporters([*sources, page("GeoNames", licence=licence)]) == reporters(sources)


def test_only_sources_of_the_strike_itself_are_its_reports() -> None:
    values = {"title": "T", "when": "2025", "place": "P", "status": "reported", "checked": "read"}
    strike = Strike.model_validate({"id": "k", "sources": ("a", "b", "gone"), "place_source": "c", **values})
    known = {name: page(name) for name in "abc"}
    assert reporters_of(strike, known) == {"a", "b"}
