"""Proofs out of static files."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.known_logs import KEYS, leaves, nodes, note
from tallybook.ledger.fork import Relation, check, compare, format_fork, parse_fork
from tallybook.ledger.tilenodes import grow_from, tile_nodes
from tallybook.ledger.tiles import Read, TileError, write_log
from tallybook.ledger.tree import ProofError, consistency_proof, inclusion_proof, leaf_hash


def folder(data: list[bytes]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    hashes = [leaf_hash(one) for one in data]
    write_log(note(len(data), hashes), lambda a, b: data[a:b], lambda a, b: hashes[a:b], files.__setitem__)
    return files


def read(files: dict[str, bytes]) -> Read:
    return lambda path, limit: files.get(path)


def history(name: bytes, size: int) -> list[bytes]:
    return [name + b" %d" % n for n in range(size)]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 1100), st.data())
def test_proofs_from_tiles_are_those_from_leaves(size: int, data: st.DataObject) -> None:
    files = folder(history(b"a", size))
    hashes = [leaf_hash(one) for one in history(b"a", size)]
    old, index = data.draw(st.integers(1, size)), data.draw(st.integers(0, size - 1))
    node, by_force = tile_nodes(read(files), size), nodes(hashes)
    assert inclusion_proof(node, index, size) == inclusion_proof(by_force, index, size)
    assert consistency_proof(node, old, size) == consistency_proof(by_force, old, size)


def test_two_folders_are_compared() -> None:
    small, large = folder(history(b"a", 300)), folder(history(b"a", 700))
    other = folder([*history(b"a", 299), *history(b"b", 401)])
    found = compare(small["checkpoint"], large["checkpoint"], KEYS, grow_from(read(large)))
    assert found.relation == Relation.FIRST_BEHIND
    for one in (small, large):
        found = compare(one["checkpoint"], other["checkpoint"], KEYS, grow_from(read(other)))
        assert found.relation == Relation.FORK
        assert found.fork is not None
        assert check(parse_fork(format_fork(found.fork)), KEYS)


def test_files_that_are_missing_or_changed_prove_nothing() -> None:
    small, large = folder(history(b"a", 300)), folder(history(b"a", 700))
    for path in ("tile/0/002.p/188", "tile/1/000.p/2"):
        with pytest.raises(TileError) as caught:
            compare(small["checkpoint"], large["checkpoint"], KEYS, grow_from(read({**large, path: b""})))
        assert caught.value.path == path
        changed = bytes([large[path][0] ^ 1]) + large[path][1:]
        with pytest.raises(ProofError):
            compare(small["checkpoint"], large["checkpoint"], KEYS, grow_from(read({**large, path: changed})))
    with pytest.raises(ValueError, match="no node"):
        tile_nodes(read(large), 700)(0, 700)
    assert tile_nodes(read(large), 700)(0, 0) == leaf_hash(b"a 0") != leaves(1)[0]
