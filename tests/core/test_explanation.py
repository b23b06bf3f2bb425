"""The explanation tree: leaves in order, JSON without empty fields, sentences indented."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallybook.core.explanation import Because

LEAF = Because("report", "OBS-1: seen", report="OBS-1")
QUOTE = Because("quotation", 'offer: "to remove"', quote="to remove", instrument="offer")
TREE = Because("ladder", "supported", (Because("for", "one cluster", (LEAF,)), QUOTE), facts={"low": 0.9})

TREES = st.recursive(
    st.builds(Because, st.just("report"), st.text(max_size=5), report=st.text(min_size=1, max_size=5)),
    lambda inner: st.builds(Because, st.just("step"), st.text(max_size=5), st.lists(inner, min_size=1, max_size=3).map(tuple)),
    max_leaves=8,
)


def test_leaves_in_order() -> None:
    assert list(TREE.leaves()) == [LEAF, QUOTE]
    assert list(LEAF.leaves()) == [LEAF]


def test_json_leaves_out_what_is_empty() -> None:
    assert TREE.as_json() == {
        "rule": "ladder",
        "says": "supported",
        "facts": {"low": 0.9},
        "because": [
            {"rule": "for", "says": "one cluster", "because": [{"rule": "report", "says": "OBS-1: seen", "report": "OBS-1"}]},
            {"rule": "quotation", "says": 'offer: "to remove"', "quote": "to remove", "instrument": "offer"},
        ],
    }


def test_sentences_are_indented_by_level() -> None:
    assert list(TREE.lines()) == ["supported", "  one cluster", "    OBS-1: seen", '  offer: "to remove"']


@given(TREES)
def test_one_line_a_step_and_every_leaf_rests_on_a_report(tree: Because) -> None:
    def steps(node: Because) -> list[str]:
        return [node.says, *(says for child in node.children for says in steps(child))]

    assert [line.lstrip(" ") for line in tree.lines()] == [says.lstrip(" ") for says in steps(tree)]
    assert all(leaf.report for leaf in tree.leaves())
