"""The header Idempotency-Key: one string of RFC 8941, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.requests.parameters import BadParameter
from api.requests.write_headers import parse_key


@pytest.mark.parametrize(
    "text",
    [
        "",
        '""',
        "8e03978e-40d5-43e8-bc93-6894a57f9324",
        "'x'",
        '"x',
        'x"',
        '"x"y',
        '"x";a=1',
        '"x", "y"',
        '"\\x"',
        '"x\\"',
        '"a"b"',
        '"\x7f"',
        '"\t"',
        '"é"',
        '"x"\n',
        f'"{"x" * 201}"',
        f'"{"x" * 60_000}',
    ],
)
def test_what_is_no_string_is_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="Idempotency-Key"):
        parse_key([text])


def test_two_headers_are_refused_and_none_is_none() -> None:
    with pytest.raises(BadParameter):
        parse_key(['"x"', '"x"'])
    assert parse_key([]) is None


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=200))
def test_every_string_is_a_key_as_it_was_sent(content: str) -> None:
    text = '"{}"'.format(content.replace("\\", "\\\\").replace('"', '\\"'))
    assert parse_key([text]) == parse_key([f" {text}\t"]) == text
