"""JSON bodies from anybody (contract 1.2, D-27, D-34)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytrail.web import body
from tinytrail.web.body import BadBody, check_free_form


class Shape(msgspec.Struct):
    text: str
    size: float | None = None
    free: dict[str, Any] | None = None


DECODER = msgspec.json.Decoder(Shape)


def reason(raw: bytes) -> str:
    with pytest.raises(BadBody) as bad:
        body.decode(DECODER, raw)
    return bad.value.reason


def test_a_good_body_is_decoded():
    assert body.decode(DECODER, b'{"text":"x","size":1.5,"other":[]}') == Shape("x", 1.5)


def test_a_byte_order_mark_is_skipped():
    assert body.decode(DECODER, b'\xef\xbb\xbf{"text":"x"}') == Shape("x")


def test_of_duplicate_keys_the_last_counts():
    assert body.decode(DECODER, b'{"text":"x","text":"y"}') == Shape("y")


def test_null_for_an_optional_field_is_absent():
    assert body.decode(DECODER, b'{"text":"x","size":null}') == Shape("x")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"text":"x"} x',
        b'{"text":"x","size":NaN}',
        b'{"text":"x","size":Infinity}',
        b'{"text":"\\ud800"}',
        b'{"text":"x\x00"}',
        b'{"text":"\xff"}',
        '{"text":"x"}'.encode("utf-16"),
        b'{"text":"x","free":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}",
    ],
)
def test_what_is_not_json_is_malformed(raw):
    assert reason(raw) == "malformed_json"


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b"{}",
        b'{"text":1}',
        b'{"text":null}',
        b'{"text":"x","size":"1"}',
        b'{"text":"x","size":true}',
        b'{"text":"x","size":1e999}',
        b'{"text":"x","free":[]}',
        b'{"text":"x","free":{"n":' + b"9" * 5_000 + b"}}",
        b'{"text":"a\\u0000b"}',
        b'{"text":"x","free":{"a\\u0000":1}}',
        b'{"text":"x","free":{"a":["\\u0000"]}}',
    ],
)
def test_what_is_no_such_object_has_an_invalid_field(raw):
    assert reason(raw) == "invalid_field"


def test_an_escaped_backslash_before_u0000_is_text():
    assert body.decode(DECODER, b'{"text":"\\\\u0000"}') == Shape("\\u0000")


def test_the_message_names_the_field():
    with pytest.raises(BadBody, match="missing required field `text`"):
        body.decode(DECODER, b"{}")


def test_free_form_values_may_nest_32_levels_and_no_more():
    nested: dict[str, Any] = {}
    for _ in range(31):
        nested = {"a": nested}
    check_free_form(nested, "properties")
    with pytest.raises(BadBody, match="deeper than 32"):
        check_free_form({"a": nested}, "properties")


def test_free_form_integers_may_be_as_large_as_a_double_holds_exactly():
    check_free_form({"n": [2**53, -(2**53)]}, "properties")
    with pytest.raises(BadBody, match="integer"):
        check_free_form({"n": [2**53 + 1]}, "properties")


@pytest.mark.parametrize(
    ("raw", "values"),
    [(b"[1,2,3,4]", 4), (b'{"a":{"b":0},"c":[]}', 3), (b"[[[[]]]]", 3), (b'["[,]",{}]', 2), (b"{}", 0), (b"7", 0)],
)
def test_values_are_counted_however_they_are_nested(raw, values):
    body.check_count(raw, "payload", values)
    if values:
        with pytest.raises(BadBody, match="payload holds more than"):
            body.check_count(raw, "payload", values - 1)


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(raw):
    try:
        found = body.decode(DECODER, raw)
    except BadBody as bad:
        found = bad.reason
    assert isinstance(found, Shape) or found in ("malformed_json", "invalid_field")
