"""What others are shown of a ledger, and what they find out."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.desk_of import NEW, DeskOf
from tallybook.cli.witness import witness_in
from tallybook.ledger.witness_http import WitnessServer


def copy_ledger(source: Path, target: Path) -> None:
    """A whole copy, as a backup would make it."""
    one, other = sqlite3.connect(source), sqlite3.connect(target)
    one.backup(other)
    one.close()
    other.close()


@pytest.fixture
def witness(desk: DeskOf, tmp_path: Path) -> Iterator[Path]:
    """A witness at an address, which the desk's case names."""
    folder = tmp_path / "witness"
    desk.run("ledger", "witness", "init", str(folder), "--name", "witness.example/w1")
    desk.run("ledger", "witness", "watch", str(folder), desk.key)
    server = WitnessServer(witness_in(folder), now=lambda: 1_800_000_000)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    vkey = (folder / "witness.vkey").read_text().strip()
    desk.run("ledger", "add-witness", str(desk.folder), vkey, "--at", server.url)
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_proof_holds_and_a_changed_one_does_not(desk: DeskOf, tmp_path: Path) -> None:
    proof = tmp_path / "entry.tlog-proof"
    desk.run("ledger", "prove", str(desk.folder), "7", "-o", str(proof))
    assert "holds: entry 7 of tallybook.local/ours" in desk.run("ledger", "verify", str(proof), "--key", desk.key)
    shown = tmp_path / "entry.entry.json"
    shown.write_text(shown.read_text().replace("analyst A", "analyst B"))
    assert "does not hold" in desk.run("ledger", "verify", str(proof), "--key", desk.key, expect=1)
    desk.run("ledger", "prove", str(desk.folder), "99999", "-o", str(proof), expect=2)


def test_a_changed_body_beside_a_true_leaf_does_not_hold(desk: DeskOf, tmp_path: Path) -> None:
    proof, shown = tmp_path / "entry.tlog-proof", tmp_path / "entry.entry.json"
    desk.run("ledger", "prove", str(desk.folder), "300", "-o", str(proof))
    text = shown.read_text()
    changed = text.replace('\\"row\\"', '\\"Row\\"')
    assert changed != text
    shown.write_text(changed)
    assert "its body is not the one" in desk.run("ledger", "verify", str(proof), "--key", desk.key, expect=1)


def test_static_files_verify_without_us(desk: DeskOf, tmp_path: Path) -> None:
    files = tmp_path / "log"
    desk.run("ledger", "export", str(desk.folder), str(files), "--tiles")
    assert "holds: tallybook.local/ours" in desk.run("ledger", "verify", str(files), "--key", desk.key)
    tile = next(path for path in sorted(files.rglob("*")) if path.is_file() and "entries" in str(path))
    raw = bytearray(tile.read_bytes())
    raw[100] ^= 1
    tile.write_bytes(raw)
    assert "entry 0 hashes to" in desk.run("ledger", "verify", str(files), "--key", desk.key, expect=1)


def test_a_database_verifies_by_itself(desk: DeskOf) -> None:
    assert "holds:" in desk.run("ledger", "verify", str(desk.folder / "ledger.db"), "--key", desk.key)
    other = desk.key.replace("ours", "oars")
    desk.run("ledger", "verify", str(desk.folder / "ledger.db"), "--key", other, expect=2)


def test_behind_and_consistent(desk: DeskOf, tmp_path: Path) -> None:
    old = tmp_path / "old.txt"
    desk.run("ledger", "checkpoint", str(desk.folder), "-o", str(old))
    assert "holds: tallybook.local/ours signed for" in desk.run("ledger", "verify", str(old), "--key", desk.key)
    assert "consistent" in desk.run("ledger", "compare", str(desk.folder), str(old))
    desk.add()
    assert "the second is behind the first" in desk.run("ledger", "compare", str(desk.folder), str(old))
    assert "the first is behind the second" in desk.run("ledger", "compare", str(old), str(desk.folder), "--key", desk.key)
    new, files = tmp_path / "new.txt", tmp_path / "files"
    desk.run("ledger", "checkpoint", str(desk.folder), "-o", str(new))
    told = desk.run("ledger", "compare", str(old), str(new), "--key", desk.key, expect=2)
    assert "a checkpoint alone does not tell" in told
    desk.run("ledger", "export", str(desk.folder), str(files), "--tiles")
    assert "the first is behind the second" in desk.run("ledger", "compare", str(old), str(files), "--key", desk.key)


def test_a_fork_is_proven_to_anybody(desk: DeskOf, tmp_path: Path) -> None:
    other = tmp_path / "other" / "ours"
    shutil.copytree(desk.folder, other)
    desk.add()
    DeskOf.add(DeskOf(other, desk._capsys), statement="another")
    proof = tmp_path / "fork.txt"
    told = desk.run("ledger", "compare", str(desk.folder), str(other), "-o", str(proof), expect=1)
    assert "fork" in told
    assert "signed two histories" in desk.run("ledger", "verify", str(proof), "--key", desk.key)
    # A fork at two sizes is one as well.
    desk.add(id="OBS-902", statement="a third")
    told = desk.run("ledger", "compare", str(desk.folder), str(other), expect=1)
    assert "fork" in told


def test_witnessed(desk: DeskOf, witness: Path, tmp_path: Path) -> None:
    note = desk.run("ledger", "checkpoint", str(desk.folder))
    assert "— witness.example/w1 " in note
    vkey = (witness / "witness.vkey").read_text().strip()
    proof = tmp_path / "e.tlog-proof"
    desk.run("ledger", "prove", str(desk.folder), "3", "-o", str(proof))
    told = desk.run("ledger", "verify", str(proof), "--key", desk.key, "--witness", vkey)
    assert "witnessed by witness.example/w1 at 2027-01-15" in told
    desk.add()
    desk.run("ledger", "prove", str(desk.folder), "3", "-o", str(proof))
    assert "does not hold" in desk.run("ledger", "verify", str(proof), "--key", desk.key, "--witness", vkey, expect=1)
    assert "— witness.example/w1 " in desk.run("ledger", "checkpoint", str(desk.folder))


def test_a_tail_cut_off_shows_at_the_witness(desk: DeskOf, witness: Path, tmp_path: Path) -> None:
    copy_ledger(desk.folder / "ledger.db", tmp_path / "old.db")
    desk.add()
    desk.run("ledger", "checkpoint", str(desk.folder))
    for path in desk.folder.glob("ledger.db*"):
        path.unlink()
    shutil.copy(tmp_path / "old.db", desk.folder / "ledger.db")
    told = desk.run("ledger", "checkpoint", str(desk.folder), expect=1)
    assert "the ledger was cut, or an old copy restored" in told
    # Grown again past the witness's size it is a fork, which the witness keeps.
    desk.add(statement="instead")
    told = desk.run("ledger", "checkpoint", str(desk.folder), expect=1)
    assert "the witness has cosigned another history of" in told
    (fork,) = witness.glob("*.fork")
    assert "signed two histories" in desk.run("ledger", "verify", str(fork), "--key", desk.key)


def test_a_checkpoint_kept_elsewhere_convicts_a_cut_ledger(desk: DeskOf, tmp_path: Path) -> None:
    copy_ledger(desk.folder / "ledger.db", tmp_path / "old.db")
    desk.add()
    kept = tmp_path / "kept.txt"
    desk.run("ledger", "checkpoint", str(desk.folder), "-o", str(kept))
    for path in desk.folder.glob("ledger.db*"):
        path.unlink()
    shutil.copy(tmp_path / "old.db", desk.folder / "ledger.db")
    assert "all fits" in desk.run("ledger", "audit", str(desk.folder))
    told = desk.run("ledger", "audit", str(desk.folder), "--checkpoint", str(kept), expect=1)
    assert "the log is shorter than its checkpoint" in told


def test_a_witness_by_files(desk: DeskOf, tmp_path: Path) -> None:
    folder = tmp_path / "far"
    desk.run("ledger", "witness", "init", str(folder), "--name", "far.example/w")
    desk.run("ledger", "witness", "sign", str(folder), str(desk.folder / "ledger.vkey"), "-o", str(tmp_path / "x"), expect=2)
    (folder / "logs").write_text(desk.key)
    vkey = (folder / "witness.vkey").read_text().strip()
    (desk.folder / "ledger.witnesses").write_text(f"{vkey}\n")
    request, answer = tmp_path / "request", tmp_path / "answer"
    desk.run("ledger", "checkpoint", str(desk.folder), "--request", str(request))
    desk.run("ledger", "witness", "sign", str(folder), str(request), "-o", str(answer))
    desk.run("ledger", "checkpoint", str(desk.folder), "--answer", str(answer))
    files = tmp_path / "log"
    desk.run("ledger", "export", str(desk.folder), str(files), "--tiles")
    assert "witnessed by far.example/w" in desk.run("ledger", "verify", str(files), "--key", desk.key, "--witness", vkey)
    # The next one starts from what the witness has.
    desk.add()
    desk.run("ledger", "checkpoint", str(desk.folder), "--request", str(request))
    desk.run("ledger", "witness", "sign", str(folder), str(request), "-o", str(answer))
    assert "— far.example/w " in desk.run("ledger", "checkpoint", str(desk.folder), "--answer", str(answer))


def test_a_new_key_signs_and_the_old_one_still_counts(desk: DeskOf, tmp_path: Path) -> None:
    old = desk.key
    kept = tmp_path / "kept.txt"
    desk.run("ledger", "checkpoint", str(desk.folder), "-o", str(kept))
    new = tmp_path / "new.key"
    desk.run("ledger", "rotate-key", str(desk.folder), "--new-key", str(new))
    lines = desk.key.splitlines()
    assert lines[0] == old
    assert len(lines) == 2
    row = [f"{name}={value}" for name, value in NEW.items()]
    desk.run("report", "add", str(desk.folder), "observations", *row, "--key", str(new))
    assert "all fits" in desk.run("ledger", "audit", str(desk.folder))
    assert "does not hold" in desk.run("ledger", "verify", str(kept), "--key", lines[1], expect=1)
    note = tmp_path / "note.txt"
    desk.run("ledger", "checkpoint", str(desk.folder), "--key", str(new), "-o", str(note))
    assert "holds" in desk.run("ledger", "verify", str(note), "--key", lines[1])
    assert "does not hold" in desk.run("ledger", "verify", str(note), "--key", old, expect=1)


def test_what_no_witness_has_seen_is_told(desk: DeskOf, witness: Path) -> None:
    size = len(desk.json("ledger", "log", str(desk.folder), "--count", "10000"))
    assert f"{size} entries since the last cosigned" in desk.run("ledger", "audit", str(desk.folder))
    desk.run("ledger", "checkpoint", str(desk.folder))
    assert "cosigned" not in desk.run("ledger", "audit", str(desk.folder))
    desk.add()
    assert "1 entries since the last cosigned" in desk.run("ledger", "audit", str(desk.folder))


def test_keys_are_asked_for(desk: DeskOf, tmp_path: Path) -> None:
    files = tmp_path / "log"
    desk.run("ledger", "export", str(desk.folder), str(files), "--tiles")
    assert "no public key to verify with" in desk.run("ledger", "verify", str(files), expect=2)
    assert "no public key" in desk.run("ledger", "compare", str(files), str(files), expect=2)
