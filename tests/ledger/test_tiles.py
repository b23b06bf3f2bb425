"""A log as static files: written, read, and every change found where it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.known_logs import KEYS, NOON, ORIGIN, WITNESS, entries, leaves, note, taken
from tallybook.errors import TallybookError
from tallybook.ledger.cosignature import WitnessPolicy, cosign
from tallybook.ledger.logfolder import reader, writer
from tallybook.ledger.note import SignatureError
from tallybook.ledger.signed import add_signatures
from tallybook.ledger.tilepath import TilePath, TilePathError
from tallybook.ledger.tiles import (
    LONGEST_ENTRY,
    LONGEST_TILE,
    TileError,
    bundle_paths,
    check_tiles,
    format_bundle,
    parse_bundle,
    parse_tile,
    tile_paths,
    verify_folder,
    write_log,
)
from tallybook.ledger.tree import leaf_hash, root_of

Files = dict[str, bytes]


def export(size: int, checkpoint: bytes | None = None) -> Files:
    files: Files = {}
    data, hashes = entries(size), leaves(size)
    write_log(checkpoint or note(size), lambda a, b: data[a:b], lambda a, b: hashes[a:b], files.__setitem__)
    return files


def read(files: Files) -> Callable[[str, int], bytes | None]:
    return lambda path, limit: None if path not in files else files[path][: limit + 1]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1100))
def test_what_is_written_is_verified(size: int) -> None:
    files = export(size)
    found = verify_folder(read(files), KEYS, origin=ORIGIN)
    paths = [str(one) for one in tile_paths(size)]
    assert found.signed.checkpoint.size == size
    assert (found.tiles, found.bundles) == (len(paths), len(list(bundle_paths(size))))
    assert set(files) == {"checkpoint", *paths, *(str(one) for one in bundle_paths(size))}
    check_tiles({path: raw for path, raw in files.items() if path != "checkpoint"}, size, found.signed.checkpoint.root)


def test_the_tiles_of_the_specification() -> None:
    """C2SP tlog-tiles says which tiles a tree of 70,000 has, and one of 256."""
    paths = list(tile_paths(70_000))
    assert [(one.level, one.width) for one in paths if one.width < 256] == [(0, 112), (1, 17), (2, 1)]
    assert [sum(one.level == level and one.width == 256 for one in paths) for level in range(3)] == [273, 1, 0]
    assert [str(one) for one in tile_paths(256)] == ["tile/0/000", "tile/1/000.p/1"]


def test_a_log_of_65_537_entries_has_three_levels() -> None:
    size = 65_537
    hashes = [leaf_hash(b"%d" % n) for n in range(size)]
    files: Files = {}
    write_log(note(size, hashes), lambda a, b: [b"%d" % n for n in range(a, b)], lambda a, b: hashes[a:b], files.__setitem__)
    assert files["tile/2/000.p/1"] == root_of(hashes[:65_536])
    assert verify_folder(read(files), KEYS).tiles == 257 + 1 + 1
    changed = bytearray(files["tile/1/000"])
    changed[32 * 200] ^= 1
    with pytest.raises(TileError, match="hash 200 is not the root of tile/0/200") as caught:
        verify_folder(read({**files, "tile/1/000": bytes(changed)}), KEYS)
    assert (caught.value.path, caught.value.index) == ("tile/1/000", 200)


def test_any_change_of_one_bit_to_any_file_is_refused_and_the_file_is_named() -> None:
    files = export(5)
    for path, raw in files.items():

        def check(changed: bytes, path: str = path) -> None:
            try:
                verify_folder(read({**files, path: changed}), KEYS)
            except TileError as error:
                assert error.path == path or (path == "tile/0/000.p/5" and error.path == "tile/entries/000.p/5")  # noqa: PT017
                raise

        assert taken(raw, check) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 700), st.data())
def test_a_change_of_one_bit_anywhere_in_a_log_is_refused(size: int, data: st.DataObject) -> None:
    files = export(size)
    path = data.draw(st.sampled_from(sorted(files)))
    bit = data.draw(st.integers(0, len(files[path]) * 8 - 1))
    changed = bytearray(files[path])
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(TallybookError):
        verify_folder(read({**files, path: bytes(changed)}), KEYS)


def test_the_entry_that_was_edited_is_named() -> None:
    files = export(300)
    bundle = parse_bundle(files["tile/entries/001.p/44"], 44)
    bundle[7] += b"!"
    with pytest.raises(TileError, match="entry 263 hashes to") as caught:
        verify_folder(read({**files, "tile/entries/001.p/44": format_bundle(bundle)}), KEYS)
    assert (caught.value.path, caught.value.index) == ("tile/entries/001.p/44", 263)


def test_entries_and_tiles_written_anew_do_not_give_the_signed_root() -> None:
    old = note(300)
    files = export(300, note(300))
    data = [b"another", *entries(300)[1:]]
    hashes = [leaf_hash(one) for one in data]
    write_log(note(300, hashes), lambda a, b: data[a:b], lambda a, b: hashes[a:b], files.__setitem__)
    with pytest.raises(TileError, match="not with the root signed for size 300"):
        verify_folder(read({**files, "checkpoint": old}), KEYS)


def test_what_is_missing_cut_or_too_long_is_named() -> None:
    files = export(300)
    for path in files:
        with pytest.raises(TileError) as caught:
            verify_folder(read({name: raw for name, raw in files.items() if name != path}), KEYS)
        assert caught.value.path.startswith(path.split(".p/")[0])
        if path != "checkpoint":
            for raw in (files[path][:-1], files[path] + b"\x00", b"", files[path] + bytes(LONGEST_TILE * 2)):
                with pytest.raises(TileError) as caught:
                    verify_folder(read({**files, path: raw}), KEYS)
                assert caught.value.path == path


def test_a_full_tile_serves_where_the_partial_one_was_dropped() -> None:
    """C2SP tlog-tiles, partial tiles: a log may delete a partial tile once the full one is there."""
    files = export(600)
    old = {**export(300), **{path: raw for path, raw in files.items() if path != "checkpoint"}}
    for path in ("tile/0/001.p/44", "tile/entries/001.p/44"):
        del old[path]
    assert verify_folder(read(old), KEYS).signed.checkpoint.size == 300


def test_witnesses_and_origin_are_asked_for() -> None:
    policy = WitnessPolicy((WITNESS.verifier,), 1)
    files = export(3)
    with pytest.raises(SignatureError, match="0 of the 1"):
        verify_folder(read(files), KEYS, policy=policy)
    files["checkpoint"] = add_signatures(files["checkpoint"], [cosign(files["checkpoint"], WITNESS, NOON)])
    assert verify_folder(read(files), KEYS, policy=policy).witnessed == {WITNESS.name: NOON}
    with pytest.raises(SignatureError, match="not of another"):
        verify_folder(read(files), KEYS, origin="another")
    with pytest.raises(TileError, match="no such file"):
        verify_folder(read({}), KEYS)


def test_nothing_is_published_that_does_not_fit_the_checkpoint() -> None:
    data, hashes = entries(4), leaves(4)
    wrong = [*hashes[:3], bytes(32)]
    longer = [*hashes[:3], hashes[3] + b"x"]
    bad = [
        (data, longer, "a tile of 129 bytes"),
        (data, wrong, "entry 3"),
        (data[:3], hashes, "3 entries"),
        ([*data[:3], b"x"], hashes, "entry 3"),
    ]
    for give_data, give_hashes, what in bad:
        files: Files = {}
        with pytest.raises(TileError, match=what):
            write_log(note(4), lambda a, b, d=give_data: d[a:b], lambda a, b, h=give_hashes: h[a:b], files.__setitem__)  # type: ignore[misc]
        assert "checkpoint" not in files
    files = {}
    with pytest.raises(TileError, match="do not give the root"):
        write_log(note(4, [*leaves(3), bytes(32)]), lambda a, b: data[a:b], lambda a, b: hashes[a:b], files.__setitem__)
    assert "checkpoint" not in files


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=20))
def test_bundles_are_read_as_they_were_written(data: list[bytes]) -> None:
    raw = format_bundle(data)
    assert parse_bundle(raw, len(data)) == data
    for width, changed in (
        (len(data) + 1, raw),
        (len(data), raw + b"\x00"),
        (len(data), raw[:-1]),
        (len(data), raw + b"\x00\x00"),
    ):
        with pytest.raises(TileError):
            parse_bundle(changed, width)


def test_an_entry_has_a_longest_length() -> None:
    assert parse_bundle(format_bundle([bytes(LONGEST_ENTRY)]), 1) == [bytes(LONGEST_ENTRY)]
    with pytest.raises(TileError, match="at most 65535"):
        format_bundle([b"", bytes(LONGEST_ENTRY + 1)])
    with pytest.raises(TileError):
        parse_tile(bytes(33), 1)


def test_a_set_of_tiles_must_hold_exactly_the_log() -> None:
    files = {path: raw for path, raw in export(300).items() if path != "checkpoint"}
    root = root_of(leaves(300))
    check_tiles({path: raw for path, raw in files.items() if path.startswith("tile/0/")}, 300, root)
    check_tiles({**files, "tile/0/000.p/3": files["tile/0/000"][:96]}, 300, root)
    bad: list[Files] = [
        {path: raw for path, raw in files.items() if path != "tile/0/000"},
        {**files, "tile/0/000.p/3": bytes(96)},
        {**files, "tile/0/002.p/1": bytes(32)},
        {**files, "tile/1/000.p/1": bytes(32)},
        {**files, "tile/1/000.p/2": files["tile/1/000.p/1"] * 2},
        {**files, "tile/2/000.p/1": bytes(32)},
        {**files, "tile/63/000.p/1": bytes(32)},
        {**files, "tile/entries/001.p/45": format_bundle([b""] * 45)},
        {**files, "tile/entries/000": files["tile/entries/000"][:-1]},
    ]
    for one in bad:
        with pytest.raises(TileError):
            check_tiles(one, 300, root)
    with pytest.raises(TilePathError):
        check_tiles({**files, "tile/0/0": b""}, 300, root)
    check_tiles({}, 0, root_of([]))
    with pytest.raises(TileError):
        check_tiles({}, 0, bytes(32))


def test_a_folder_on_disk(tmp_path: Path) -> None:
    put = writer(tmp_path / "log")
    for path, raw in export(300).items():
        put(path, raw)
    assert verify_folder(reader(tmp_path / "log"), KEYS).signed.checkpoint.size == 300
    bundle = tmp_path / "log" / "tile" / "entries" / "000"
    bundle.rename(tmp_path / "elsewhere")
    bundle.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TileError, match="leads out of the folder"):
        verify_folder(reader(tmp_path / "log"), KEYS)
    with pytest.raises(TileError, match="no such file"):
        verify_folder(reader(tmp_path / "nothing"), KEYS)
    with pytest.raises(TileError, match="cannot be written"):
        writer(tmp_path / "elsewhere")("tile/0/000", b"")


def test_reading_stops_at_a_limit(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(bytes(100))
    assert len(reader(tmp_path)("checkpoint", 10) or b"") == 11
    with pytest.raises(TallybookError):
        verify_folder(reader(tmp_path), KEYS)
    assert TilePath(0, 0).width == 256
