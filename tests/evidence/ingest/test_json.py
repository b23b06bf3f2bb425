"""JSON and JSON Lines: flat, every key once, numbers as written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.ingest.making import ROWS, bring, fields, json_bytes, wrong
from tallybook.evidence.ingest.limits import Limits


def one(count: str) -> bytes:
    return f'[{{"id": "R-1", "statement": "x", "place": "", "count": {count}}}]'.encode()


@pytest.mark.parametrize("text", ["1.50", "0.10", "1e5", "-0", "3.0000000000000000000001", "12345678901234567890", "1E+2"])
def test_a_number_is_kept_as_it_was_written(text: str) -> None:
    assert fields(bring(one(text), "observations.json"))[0]["count"] == text
    assert fields(bring(one(f'"{text}"'), "observations.json"))[0]["count"] == text


@pytest.mark.parametrize("kind", ["json", "jsonl"])
@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("NaN", "NaN is not a number"),
        ("Infinity", "Infinity is not a number"),
        ("-Infinity", "-Infinity is not a number"),
        ("true", "true where a text is due"),
        ("false", "false where a text is due"),
        ("[1]", "an array where a text is due"),
        ('{"a": 1}', "an object where a text is due"),
        ('{"a": 1, "a": 2}', "the key 'a' is there twice"),
        ("9" * 41, "a number of 41 characters"),
        ("1." + "0" * 5_000, "a number of 5,002 characters"),
        ('"\\ud800"', "half a character"),
        ('"\\u0000"', "NUL"),
    ],
)
def test_what_no_field_can_hold(kind: str, value: str, what: str) -> None:
    raw = one(value) if kind == "json" else one(value).strip(b"[]")
    text = wrong(raw, f"observations.{kind}")
    assert what in text
    assert f"observations.{kind}:1 [count]" in text


def test_null_is_blank() -> None:
    assert fields(bring(one("null"), "observations.json"))[0]["count"] == ""


@pytest.mark.parametrize(
    "raw",
    [
        b'[{"id": "R-1", "count": 42, "count": 0}]',
        b'[{"id": "R-1", "\\u0063ount": 42, "count": 0}]',
        b'{"observations": [], "observations": []}',
        b'[{"a": {"b": 1, "b": 1}}]',
    ],
)
def test_a_key_twice(raw: bytes) -> None:
    assert "is there twice" in wrong(raw, "observations.json")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[{" * 7, '[{"a":' * 50_000 + "1" + "}]" * 50_000])
def test_brackets_within_brackets(text: str) -> None:
    assert "deep" in wrong(text.encode(), "observations.json")
    assert "deep" in wrong(text.encode(), "observations.jsonl")
    assert "deep" in wrong(text.encode(), "observations.geojson")


def test_brackets_in_a_text_are_text() -> None:
    row = {**ROWS[0], "statement": "[{" * 50 + '\\"'}
    assert fields(bring(json_bytes([row]), "observations.json")) == [row]


def test_a_flood_of_small_values_is_stopped_before_it_is_parsed() -> None:
    assert "over" in wrong(b"[" + b"[]," * 2_000 + b"[]]", "observations.json", Limits(rows=100))
    assert "over" in wrong(b"[" + b"1," * 2_000 + b"1]", "observations.json", Limits(cells=100))


@pytest.mark.parametrize(
    "raw", [b"[", b"[,]", b'[{"a": 1},]', b"{'a': 1}", b"[1] [2]", b'{"a"}', b"\xef\xbb\xbf[]", b"\xff", b" ", b"//\n[]"]
)
def test_what_is_not_json(raw: bytes) -> None:
    assert "observations.json" in wrong(raw, "observations.json")


def test_the_line_of_a_fault_in_json() -> None:
    assert "observations.json:3: not JSON" in wrong(b'[\n{"id": "a"},\n}', "observations.json")
    assert "observations.jsonl:2: not JSON" in wrong(json_bytes(ROWS[:1]).strip(b"[]") + b"\n{\n", "observations.jsonl")


@pytest.mark.parametrize(
    "raw", [b"1", b'"x"', b"null", b"true", b"NaN", b"[1]", b"[null]", b"[[]]", b'{"observations": 1}', b'{"x": []}']
)
def test_json_of_another_form(raw: bytes) -> None:
    assert wrong(raw, "observations.json")


def test_several_tables_in_one_object() -> None:
    places = [{"id": "P-1", "name": "North quay", "lat": "1.5", "lon": "2"}]
    brought = bring(json.dumps({"observations": list(ROWS), "places": places}).encode(), "all.json")
    assert fields(brought) == list(ROWS)
    assert fields(brought, "places") == places


def test_every_fault_of_a_file_is_told() -> None:
    text = wrong(b'[{"id": NaN}, 3, {"id": "a", "id": "b"}]', "observations.json")
    assert {line.split(":")[1].split(" ")[0] for line in text.splitlines() if line.startswith("obs")} == {"1", "2", "3"}


def test_a_blank_line_between_objects() -> None:
    line = json_bytes(ROWS[:1]).strip(b"[]")
    assert "observations.jsonl:2: blank line" in wrong(line + b"\n\n" + line, "observations.jsonl")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "type", "features", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from(["json", "jsonl", "geojson"]))
def test_no_json_raises(value: object, kind: str) -> None:
    bring(json.dumps(value).encode(), f"observations.{kind}")
