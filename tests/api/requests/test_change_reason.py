"""The header Change-Reason: one text of RFC 9651 without control characters, and nothing else."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.requests.parameters import BadParameter
from api.requests.write_headers import MAX_LETTERS, parse_reason, require_reason

letters = st.characters(exclude_categories=["Cc", "Cs"])
texts = st.text(letters, max_size=MAX_LETTERS)


def display_string(text: str) -> str:
    """RFC 9651, 4.1.11: small hexadecimal digits, and ASCII but for % and quotes as it is."""
    kept = "".join(map(chr, {*range(0x20, 0x7F)} - {0x22, 0x25}))
    parts = quote(text, safe=kept).split("%")
    return f'%"{"%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])}"'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "typo",
        "the owner corrected it",
        "'x'",
        '"x',
        '"x";a=1',
        '"x", "y"',
        '"\\x"',
        '"é"',
        '"\x00"',
        '"\x7f"',
        '"\n"',
        '%"\x00"',
        '%"%00"',
        '%"%0a"',
        '%"%7f"',
        '%"%c2%85"',
        '%"%ff"',
        '%"%c3"',
        '%"%C3%96"',
        '%"%c0%80"',
        '%"%ed%a0%80"',
        '%"%e0%80%80"',
        '%"%f4%90%80%80"',
        '%"100%"',
        '%"a"b"',
        '%"x";a=1',
        f'"{"x" * (MAX_LETTERS + 1)}"',
        f'%"{"%c3%96" * (MAX_LETTERS + 1)}"',
        f'%"{"%c3" * 20_000}"',
    ],
)
def test_what_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="Change-Reason"):
        parse_reason([text])


def test_two_headers_are_refused_and_none_or_a_blank_one_is_none() -> None:
    with pytest.raises(BadParameter):
        parse_reason(['"x"', '"x"'])
    assert [parse_reason(values) for values in ([], ['""'], ['"  "'], ['%""'], ['%"%c2%a0"'])] == [None] * 5


@given(texts)
def test_every_text_can_be_stated(text: str) -> None:
    assert parse_reason([f" {display_string(text)}\t"]) == (text.strip() or None)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=MAX_LETTERS))
def test_ascii_is_a_string_in_quotes(text: str) -> None:
    sent = '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))
    assert parse_reason([sent]) == (text.strip() or None)


@pytest.mark.parametrize("text", ["", "  ", "x" * (MAX_LETTERS + 1), "a\x00", "a\nb", "\x9b1m", "\udcff"])
def test_a_reason_of_a_command_is_held_to_the_same(text: str) -> None:
    with pytest.raises(BadParameter, match="--why"):
        require_reason("--why", text)


@given(texts.filter(str.strip))
def test_a_reason_of_a_command_is_stripped(text: str) -> None:
    assert require_reason("--why", f" {text}") == text.strip()
