"""GEM's owner strings: every form, every loss by name, no character lost, and writing them back."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.sources.reader.owner_grammar import Owner, parse_owners

FORMS = {
    "A [51.00%]; B [unknown %]": ([("A", 51.0), ("B", None)], []),
    "A [100.%]": ([("A", 100.0)], []),
    "A [.5%]": ([("A", 0.5)], []),
    "A [51 %]": ([("A", 51.0)], []),
    "A [12,5%]": ([("A", 12.5)], []),
    "A (50%); B": ([("A", 50.0), ("B", None)], []),
    "A [150.00%]": ([("A", 150.0)], []),
    "--": ([], []),
    "": ([], []),
    "  ": ([], []),
    "unknown [unknown %]": ([("unknown", None)], []),
    "small shareholder(s) [0.00%]": ([("small shareholder(s)", 0.0)], []),
    "布诺 [3.00%]": ([("布诺", 3.0)], []),
    "A (B) Ltd [3%]": ([("A (B) Ltd", 3.0)], []),
    "A [x] B [3%]": ([("A [x] B", 3.0)], []),
    "A (65%)（major) [3%]": ([("A (65%)（major)", 3.0)], ["percent-in-name"]),
    "A (65%) B": ([("A (65%) B", None)], ["percent-in-name"]),
    "A，B [3%]": ([("A，B", 3.0)], ["list-in-name"]),
    "A [50%] B [40%]": ([("A", 50.0), ("B", 40.0)], []),
    "A [50%], B [40%]": ([("A", 50.0), ("B", 40.0)], []),
    "A (30%) B (70%)": ([("A", 30.0), ("B", 70.0)], []),
    "A [50%] B": ([("A", 50.0), ("B", None)], []),
    "A [50%].": ([("A", 50.0)], ["text-after-share"]),
    "A [50%];": ([("A", 50.0)], []),
    "A [50%]; ": ([("A", 50.0)], []),
    "A [50%];; B [2%]": ([("A", 50.0), ("B", 2.0)], []),
    "A [50%]; A [20%]": ([("A", 50.0), ("A", 20.0)], []),
    "[100.0%]": ([("", 100.0)], ["no-name"]),
    "A [many%]": ([("A", None)], ["unreadable-share"]),
    "A [-5%]": ([("A", None)], ["unreadable-share"]),
    "A [%]": ([("A", None)], ["unreadable-share"]),
    "A [50": ([("A", None)], ["unclosed-bracket"]),
    "A［50％］；B（5%）": ([("A", 50.0), ("B", 5.0)], []),
    "A\u200bB [5%]": ([("AB", 5.0)], []),
}


@pytest.mark.parametrize("text", FORMS)
def test_each_form(text: str) -> None:
    owners = parse_owners(text)
    entries, losses = FORMS[text]
    assert [(owner.name, owner.share) for owner in owners.entries] == entries
    assert [loss.name for loss in owners.losses] == losses
    assert owners.text == text


def test_a_tag_is_apart_from_the_name() -> None:
    plain, numbered = parse_owners("SOC of Azerbaijan [LEI] [7%]; B [5493001KJTIIGC8Y1R12] [3%]").entries
    assert (plain.name, plain.tag, plain.share) == ("SOC of Azerbaijan", "LEI", 7.0)
    assert (numbered.name, numbered.tag) == ("B", "5493001KJTIIGC8Y1R12")
    assert parse_owners("SOC of Azerbaijan [LEI]").entries[0].name == "SOC of Azerbaijan"


@pytest.mark.parametrize(
    ("name", "holder"),
    [
        ("unknown", "unknown"),
        ("Other", "other"),
        ("small shareholder(s)", "small-shareholders"),
        ("natural person(s)", "natural-persons"),
        ("member/employee owned", "members"),
        ("Unknown Worlds Ltd", "named"),
    ],
)
def test_words_for_owners_that_are_not_named(name: str, holder: str) -> None:
    assert Owner(name, None, name).holder == holder


@pytest.mark.parametrize(
    ("text", "contradiction"),
    [
        ("A [50%]; B [49.6%]", None),
        ("A [50%]; B [50.5%]", None),
        ("A [50%]; B [49.4%]", None),
        ("A [50%]; B [50.6%]", "over"),
        ("A [unknown %]; B", None),
        ("A [50%]; B", None),
        ("A [100%]; B", "full-and-unknown"),
        ("A [75%]; B [75%]; C", "full-and-unknown"),
        ("--", None),
    ],
)
def test_shares_that_contradict_each_other(text: str, contradiction: str | None) -> None:
    assert parse_owners(text).contradiction == contradiction


def test_over_100_is_reported_and_nothing_is_rescaled() -> None:
    owners = parse_owners("A [100.00%]; B [75.99%]")
    assert owners.over_100
    assert owners.known_sum == pytest.approx(175.99)
    assert owners.intervals() == ((100.0, 100.0), (75.99, 75.99))


def test_unknown_shares_have_together_what_is_left() -> None:
    assert parse_owners("A [40%]; B; C [unknown %]").intervals() == ((40.0, 40.0), (0.0, 60.0), (0.0, 60.0))
    assert parse_owners("A [120%]; B").intervals() == ((120.0, 120.0), (0.0, 0.0))
    assert parse_owners("--").intervals() == ()


def test_cut_digits_may_add_up_to_a_step_but_not_more_than_is_left() -> None:
    assert parse_owners("A [66%]; B [33%]", 1.0).intervals() == ((66.0, 67.0), (33.0, 34.0))
    assert parse_owners("A [50%]; B [50%]", 1.0).intervals() == ((50.0, 50.0), (50.0, 50.0))


def names() -> st.SearchStrategy[str]:
    """Names as the grammar allows them: no separators, brackets, percent signs or dashes alone, spaces plain."""
    words = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1, max_size=6)
    joined = st.lists(words, min_size=1, max_size=4).map(" ".join)
    return joined.map(lambda text: parse_owners(text).entries[0].name if parse_owners(text).entries else "A").filter(
        bool
    )


shares = st.none() | st.floats(0, 1000, allow_nan=False)
owners_drawn = st.builds(
    lambda name, share, tag: Owner(name, share, "", tag), names(), shares, st.sampled_from([None, "LEI"])
)


def rendered(entry: Owner) -> str:
    """An entry in GEM's notation, with every digit of its share."""
    share = "unknown " if entry.share is None else f"{Decimal(repr(entry.share)):f}"
    return " ".join(part for part in (entry.name, entry.tag and f"[{entry.tag}]", f"[{share}%]") if part)


@given(st.lists(owners_drawn, max_size=6))
def test_what_is_written_is_read_back(entries: list[Owner]) -> None:
    read = parse_owners("; ".join(map(rendered, entries)))
    assert [(e.name, e.share, e.tag) for e in read.entries] == [(e.name, e.share, e.tag) for e in entries]


PIECES = st.sampled_from([*"AbЖ布 ;；[]()（）%％.,-5\u200b\n", "[5%]", "(5%)", "unknown", "[LEI]", "--", "[100.00%]"])


@given(st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=40))
def test_every_part_of_a_text_is_of_an_entry_or_has_no_letter(text: str) -> None:
    owners = parse_owners(text)
    assert owners.text == text
    rest = text
    for entry in owners.entries:
        before, found, rest = rest.partition(entry.raw)
        assert found
        assert not any(map(str.isalnum, before))
    assert not owners.entries or not any(map(str.isalnum, rest))
    assert all(entry.share is None or math.isfinite(entry.share) for entry in owners.entries)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_letters_of_plain_text_are_in_a_name_or_listed_as_lost(text: str) -> None:
    owners = parse_owners(text)
    odd = "".join(loss.raw for loss in owners.losses)
    told = "".join(f"{entry.name}{entry.tag or ''}" for entry in owners.entries)
    for sign in "bЖ布":
        assert text.count(sign) <= told.count(sign) + odd.count(sign)
