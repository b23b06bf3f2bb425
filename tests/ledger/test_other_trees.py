"""Roots and proofs against pymerkle, a library that shares no code with this one (GPL: a test oracle, never a dependency)."""

from __future__ import annotations

import pymerkle
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.known_logs import entries, leaves, nodes
from tallybook.ledger.tree import check_consistency, check_inclusion, consistency_proof, inclusion_proof, root_of


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.data())
def test_roots_and_proofs_of_another_library(size: int, data: st.DataObject) -> None:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for one in entries(size):
        tree.append_entry(one)
    hashes = leaves(size)
    old, index = data.draw(st.integers(1, size)), data.draw(st.integers(0, size - 1))
    assert tree.get_root(size) == root_of(hashes)
    assert tree.get_root(old) == root_of(hashes[:old])
    theirs = tree.prove_inclusion(index + 1, size).serialize()["path"]
    path = [bytes.fromhex(one) for one in theirs][1:]
    assert sorted(path) == sorted(inclusion_proof(nodes(hashes), index, size))
    check_inclusion(index, size, hashes[index], inclusion_proof(nodes(hashes), index, size), tree.get_root(size))
    check_consistency(old, size, tree.get_root(old), tree.get_root(size), consistency_proof(nodes(hashes), old, size))
