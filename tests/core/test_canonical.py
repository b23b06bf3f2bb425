"""Equal values have equal bytes; different ones do not."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tallybook.core.canonical import canonical, digest

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(list(value))}
    return [reordered(item) for item in value] if isinstance(value, list) else value


@given(JSON)
def test_the_order_of_keys_does_not_matter(value: Any) -> None:
    assert canonical(value) == canonical(reordered(value))


@given(JSON)
def test_it_is_json_and_reads_back(value: Any) -> None:
    assert json.loads(canonical(value)) == value


@given(JSON, JSON)
def test_different_values_differ(first: Any, second: Any) -> None:
    same = json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
    assert (canonical(first) == canonical(second)) is same


def test_the_very_bytes() -> None:
    assert canonical({"b": [1, 2.5, None, True], "a": "Höhe\n"}) == '{"a":"Höhe\\n","b":[1,2.5,null,true]}'.encode()


def test_the_digest_is_sha256_of_the_bytes() -> None:
    assert digest({}) == hashlib.sha256(b"{}").hexdigest()
    assert digest({"a": 1}) != digest({"a": 2})
