"""YAML as data: one meaning for every text, a line for every value, every fault at once, and no way to raise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.agreement.yamltext import DEEPEST, LARGEST, Document, read_yaml

FILE = "agreement.yaml"


def read(text: str | bytes) -> Document:
    return read_yaml(text if isinstance(text, bytes) else text.encode(), FILE)


def only_fault(text: str | bytes) -> tuple[int, str, str, str]:
    (fault,) = read(text).faults
    assert fault.file == FILE
    assert fault.do
    return fault.line, fault.field, fault.what, fault.do


def test_values_are_what_they_look_like() -> None:
    found = read("a: 1\nb: 1.5\nc: true\nd: ~\ne: word\nf: '1'\ng: [x, 2]\nh: {i: null, j: }\nk: -3\nl: 1962-11-03\nm: 007\n")
    assert found.faults == []
    assert found.data == {
        "a": 1,
        "b": 1.5,
        "c": True,
        "d": None,
        "e": "word",
        "f": "1",
        "g": ["x", 2],
        "h": {"i": None, "j": None},
        "k": -3,
        "l": "1962-11-03",
        "m": "007",
    }


def test_keys_are_always_text() -> None:
    assert read('1189: x\n"1147": y\ntrue: z\nno: w\n').data == {"1189": "x", "1147": "y", "true": "z", "no": "w"}


def test_every_value_has_its_line() -> None:
    found = read("a: 1\nb:\n  - x\n  - c: 2\n    d:\n      - 3\n# last\ne: >\n  folded\n")
    assert found.line_of(("a",)) == 1
    assert found.line_of(("b", 0)) == 3
    assert found.line_of(("b", 1, "c")) == 4
    assert found.line_of(("b", 1, "d", 0)) == 6
    assert found.line_of(("e",)) == 8
    assert found.line_of(("b", 1, "d", 0, "nothing", "there")) == 6
    assert found.line_of(("nothing",)) == 1


def test_a_key_twice_names_both_lines() -> None:
    line, field, what, _ = only_fault("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n")
    assert (line, field) == (5, "b.c")
    assert "'c' twice" in what
    assert "line 3" in what


def test_every_key_twice_is_found_at_once() -> None:
    assert [f.line for f in read("a: 1\na: 2\nb: {c: 1, c: 2}\na: 3\n").faults] == [2, 3, 4]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: &x 1\n", 1, "anchor &x"),
        ("a: 1\nb: &x [1, 2]\nc: *x\n", 2, "anchor &x"),
        ("a: 1\nb:\n  <<: *base\n", 3, "alias *base"),
        ("- 1\n- *y\n", 2, "alias *y"),
    ],
)
def test_anchors_and_aliases_are_refused(text: str, line: int, what: str) -> None:
    found = only_fault(text)
    assert (found[0], found[2]) == (line, what)
    assert read(text).data is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: !secret x\n", 2),
        ('a: 1\nb: !secret "x"\n', 2),
        ("a: !!python/object/apply:os.system [ls]\n", 1),
        ("a: !!python/name:os.system x\n", 1),
        ("a: !!int 5\n", 1),
        ("a: 1\nb: !set {x: 1}\n", 2),
        ("a: 1\nb:\n  - !list [1]\n", 3),
        ("!doc {a: 1}\n", 1),
        ("a: !!binary aGk=\n", 1),
    ],
)
def test_tags_are_refused(text: str, line: int) -> None:
    found = only_fault(text)
    assert found[0] == line
    assert "tag" in found[2]


def test_the_merge_key_is_a_key_like_any_other() -> None:
    assert read("<<: {a: 1}\n").data == {"<<": {"a": 1}}


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "Yes", "NO", "On", "OFF", "y", "N"])
def test_a_bare_word_that_means_two_things_is_refused_and_a_quoted_one_is_not(word: str) -> None:
    line, field, what, do = only_fault(f"a: 1\nb: {word}\n")
    assert (line, field) == (2, "b")
    assert repr(word) in what
    assert f'"{word}"' in do
    assert read(f'b: "{word}"\n').data == {"b": word}
    assert read(f"b: [{word}]\n").faults[0].field == "b.0"


def test_an_older_yaml_does_not_change_the_meaning() -> None:
    assert only_fault("%YAML 1.1\n---\na: yes\n")[0] == 3
    assert read("%YAML 1.1\n---\na: 0o17\nb: 0x1F\nc: 1_000\nd: 12:30\ne: .inf\nf: 1e3\n").data == {
        "a": "0o17",
        "b": "0x1F",
        "c": "1_000",
        "d": "12:30",
        "e": ".inf",
        "f": "1e3",
    }


def test_a_number_beyond_all_numbers_is_not_infinity() -> None:
    found = read("a: 1.0e999\n")
    assert [fault.field for fault in found.faults] == ["a"] or found.data == {"a": "1.0e999"}


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
def test_a_byte_order_mark(mark: bytes) -> None:
    line, _, what, do = only_fault(mark + b"a: 1\n")
    assert line == 1
    assert "byte-order mark" in what
    assert "UTF-8" in do


def test_latin_1_names_the_line_and_the_byte() -> None:
    line, _, what, do = only_fault("a: 1\nb: K\u00f6ln\n".encode("latin-1"))
    assert line == 2
    assert "0xf6" in what
    assert "Latin-1" in do


def test_nul() -> None:
    line, _, what, _ = only_fault(b"a: 1\nb: x\0y\n")
    assert line == 2
    assert "NUL" in what


def test_what_is_no_text_does_not_come_in_by_an_escape() -> None:
    """Half of a surrogate pair cannot be written out again; it would stop the answer and not the reading."""
    line, field, _, _ = only_fault('a: 1\nb: "x\\ud800"\n')
    assert (line, field) == (2, "b")
    assert only_fault('a: 1\n"\\udfff": 2\n')[0] == 2


@pytest.mark.parametrize("escape", ["\\e[2J", "\\a", "\\b", "\\x9b", "\\0", "\\x7f"])
def test_no_control_character_comes_in_by_an_escape(escape: str) -> None:
    line, field, what, _ = only_fault(f'a: 1\nb: "x{escape}"\n')
    assert (line, field) == (2, "b")
    assert what.isprintable()


@pytest.mark.parametrize("text", ["", " \n\n", "# only a comment\n"])
def test_an_empty_file(text: str) -> None:
    assert "empty" in only_fault(text)[2]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\n\tb: 2\n", 2),
        ("a:\n\t- x\n", 2),
        ("a: b: c\n", 1),
        ("a: 'x\n", 2),
        ("a: [1, 2\n", 2),
        ("{", 1),
        ("a: 1\n---\nb: 2\n", 2),
        ("a: %x\n", 1),
        ("a: 1\n b: 2\n", 2),
        ("a: @x\n", 1),
    ],
)
def test_what_is_not_yaml_names_its_line(text: str, line: int) -> None:
    found = read(text)
    assert found.data is None
    (fault,) = found.faults
    assert "not YAML" in fault.what
    assert fault.line == line


def test_a_key_that_is_no_word() -> None:
    assert "not text" in only_fault("? [a, b]\n: 1\n")[2]
    assert "not text" in only_fault(": 1\n")[2]


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 5000, "- " * 5000 + "x", "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)])
def test_deep_nesting_is_refused(text: str) -> None:
    found = only_fault(text)
    assert "deep" in found[2]


def test_as_deep_as_allowed_is_read() -> None:
    depth = DEEPEST - 5
    value: Any = read("[" * depth + "x" + "]" * depth).data
    for _ in range(depth):
        (value,) = value
    assert value == "x"


def test_a_huge_file_is_refused_unread() -> None:
    found = only_fault(b"#" * (LARGEST + 1))
    assert "larger" in found[2]


MARKUP = st.sampled_from(
    [*"ab:-[]{},#&*!|>'\"%@`?\\ \n\t\u00e9\x85\x07", "\n  ", ": ", "- ", "yes", "\\ud800", "---\n", "%YAML 9\n"]
)


@given(st.lists(MARKUP, max_size=25).map("".join))
def test_no_text_raises_and_nothing_is_lost_in_silence(text: str) -> None:
    found = read(text)
    # A line that is a comment says nothing.
    said = "".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
    assert found.faults or found.data is not None or said.strip("\n -") in ("~", "null", "'", "")
    assert all(fault.what and fault.do for fault in found.faults)


@given(st.binary(max_size=60))
def test_no_bytes_raise(raw: bytes) -> None:
    found = read(raw)
    assert all(fault.file == FILE for fault in found.faults)


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcxyz", min_size=1, max_size=4), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text("abcxyz", min_size=1, max_size=4), PLAIN, min_size=1, max_size=5))
def test_json_is_read_as_json(value: dict[str, Any]) -> None:
    found = read(json.dumps(value, ensure_ascii=False))
    assert found.faults == []
    assert found.data == value
