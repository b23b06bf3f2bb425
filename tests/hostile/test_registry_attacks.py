"""Attacks on a desk's ledger by somebody who can write its file, and slips of those who use it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from ledgers import ORIGIN, draft, drafts, ledger
from registry.desk_of import NEW, DeskOf, set_up
from tallybook.ledger.growth import Growth
from tallybook.ledger.ledger import OvertakenError
from tallybook.ledger.memory import MemoryStore
from tallybook.ledger.sqlite import SqliteStore
from tallybook.ledger.store import StoreFullError
from tallybook.ledger.tree import leaf_hash

OBSERVATIONS = "reports/observations.csv"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> DeskOf:
    """The example with a ledger."""
    made = DeskOf(set_up(tmp_path, monkeypatch), capsys)
    made.run("ledger", "init", str(made.folder))
    return made


def behind(desk: DeskOf, *statements: tuple[str, tuple[object, ...]]) -> None:
    """Change the ledger's file with the guard rails taken off."""
    link = sqlite3.connect(desk.folder / "ledger.db")
    for (name,) in link.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        link.execute(f"DROP TRIGGER {name}")
    for statement, values in statements:
        link.execute(statement, values)
    link.commit()
    link.close()


def seq_of(desk: DeskOf, name: str) -> int:
    found: int = desk.json("ledger", "log", str(desk.folder), "--of", name)[0]["seq"]
    return found


def audit(desk: DeskOf, expect: int = 1) -> str:
    return desk.run("ledger", "audit", str(desk.folder), expect=expect)


def test_nothing_passes_that_is_not_signed(desk: DeskOf) -> None:
    behind(desk, ("DELETE FROM checkpoint", ()))
    assert "Nothing is signed" in audit(desk)
    assert "nothing is signed" in desk.run("ledger", "verify", str(desk.folder / "ledger.db"), "--key", desk.key, expect=1)


def rewrite(desk: DeskOf, seq: int, change: Callable[[bytes], bytes]) -> None:
    """Change a body as an insider would: its hash, its leaf and every tile made anew."""
    store = SqliteStore(desk.folder / "ledger.db")
    with store.read() as reading:
        entries = list(reading.entries(0, reading.size()))
    store.close()
    old = entries[seq]
    body, salt = change(old.body or b""), old.salt or b""
    assert body != old.body
    leaf = old.leaf.replace(old.entry.body_sha256.encode(), sha256(salt + body).hexdigest().encode())
    entries[seq] = old._replace(body=body, leaf=leaf, leaf_hash=leaf_hash(leaf))
    tiles = Growth().extend([entry.leaf_hash for entry in entries])
    behind(
        desk,
        ("UPDATE entry SET body = ?, leaf = ?, leaf_hash = ? WHERE seq = ?", (body, leaf, leaf_hash(leaf), seq)),
        ("DELETE FROM tile", ()),
        *(("INSERT INTO tile VALUES (?, ?, ?, ?)", (t.level, t.index, t.root, t.hashes)) for t in tiles),
    )


def test_an_insider_without_the_key_is_not_signed_for_by_the_next_honest_filer(desk: DeskOf) -> None:
    rewrite(desk, seq_of(desk, "OBS-001"), lambda body: body.replace(b"eight", b"nine"))
    told = desk.run("report", "add", str(desk.folder), "observations", *(f"{k}={v}" for k, v in NEW.items()), expect=2)
    assert "are not those that were signed for" in told
    assert "the root of the first" in audit(desk)
    assert desk.json("board", str(desk.folder))["receipt"]["checkpoint"]["note"] is None


def test_an_insider_who_takes_the_checkpoints_too_leaves_nothing_signed(desk: DeskOf) -> None:
    rewrite(desk, seq_of(desk, "OBS-001"), lambda body: body.replace(b"eight", b"nine"))
    behind(desk, ("DELETE FROM checkpoint", ()))
    assert "Nothing is signed" in audit(desk)


def test_a_body_without_its_salt_proves_nothing(desk: DeskOf, tmp_path: Path) -> None:
    proof = tmp_path / "e.tlog-proof"
    desk.run("ledger", "prove", str(desk.folder), "300", "-o", str(proof))
    shown = tmp_path / "e.entry.json"
    data = json.loads(shown.read_text())
    shown.write_text(json.dumps({**data, "salt": None, "body": data["body"].replace("row", "Row")}))
    assert "a body without its salt" in desk.run("ledger", "verify", str(proof), "--key", desk.key, expect=1)


def test_drafts_held_against_older_books_are_refused() -> None:
    book = ledger(MemoryStore(ORIGIN))
    book.append(drafts(0, 3), at=0)
    with pytest.raises(OvertakenError):
        book.append([draft(9)], at=2)
    assert book.append([draft(9)], at=3)[0].index == 3


def test_a_row_before_the_first_is_refused_and_seen(desk: DeskOf) -> None:
    link = sqlite3.connect(desk.folder / "ledger.db")
    with pytest.raises(sqlite3.IntegrityError):
        link.execute("INSERT INTO entry SELECT -1, subject_key, leaf_hash, salt, leaf, body FROM entry WHERE seq = 5")
    link.close()
    behind(
        desk,
        ("PRAGMA ignore_check_constraints = ON", ()),
        ("INSERT INTO entry SELECT -1, subject_key, leaf_hash, salt, leaf, body FROM entry WHERE seq = 5", ()),
    )
    assert "the rows of entries" in audit(desk)


CHANGES = [
    ("UPDATE entry SET subject_key = subject_key + 1 WHERE seq = 7", "the key by which it is looked up"),
    ("UPDATE entry SET leaf_hash = zeroblob(32) WHERE seq = 7", "the hash of its leaf"),
    ("UPDATE entry SET salt = zeroblob(16) WHERE seq = 7", "the hash of its body"),
    ("UPDATE entry SET salt = NULL WHERE seq = 7", "body and salt"),
    ("UPDATE entry SET body = NULL WHERE seq = 7", "body and salt"),
    ("UPDATE entry SET body = NULL, salt = NULL WHERE seq = 7", "gone, with no such entry"),
    ("UPDATE entry SET leaf = CAST('garbage' AS BLOB) WHERE seq = 7", "its leaf"),
    ("DELETE FROM entry WHERE seq = 7", "missing"),
    ("UPDATE blob SET bytes = CAST('x' AS BLOB)", "the file that it names"),
    ("DELETE FROM blob", "the file that it names"),
    ("UPDATE tile SET root = zeroblob(32) WHERE idx = 1", "the hash over tile 0/1"),
    ("UPDATE tile SET hashes = zeroblob(8192) WHERE idx = 1", "tile 0/1"),
    ("DELETE FROM tile WHERE idx = 1", "tile 0/1"),
    ("INSERT INTO tile VALUES (0, 3, zeroblob(32), zeroblob(8192))", "the complete tiles of level 0"),
    ("INSERT INTO tile VALUES (2, 0, zeroblob(32), zeroblob(8192))", "the complete tiles of level 2"),
]


@pytest.mark.parametrize(("statement", "what"), CHANGES)
def test_whatever_is_changed_is_named(desk: DeskOf, statement: str, what: str) -> None:
    behind(desk, (statement, ()))
    assert what in audit(desk)


def test_a_row_on_the_end_recorded_long_ago_is_named(desk: DeskOf) -> None:
    store = SqliteStore(desk.folder / "ledger.db")
    with store.read() as reading:
        size = reading.size()
        last = reading.entry(size - 1)
    store.close()
    assert last is not None
    leaf = last.leaf.replace(last.entry.recorded_at.encode(), b"1962-11-01T00:00:00.000000Z")
    values = (size, last.key, leaf_hash(leaf), last.salt, leaf, last.body)
    behind(desk, ("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", values))
    told = audit(desk)
    assert "its recorded time" in told
    assert "The last 1 entries are not signed for" in told


def test_a_number_far_beyond_is_told_at_once(desk: DeskOf) -> None:
    behind(desk, ("UPDATE entry SET seq = 4611686018427387904 WHERE seq = 9", ()))
    assert "the rows of entries" in audit(desk)


def test_settings_that_are_gone_are_told(desk: DeskOf) -> None:
    behind(desk, ("DELETE FROM setting", ()))
    assert "does not say which log it is" in audit(desk, expect=2)
    assert "does not say which log it is" in desk.run("board", str(desk.folder), expect=2)


def test_a_destroyed_body_forged_back_is_not_read(desk: DeskOf) -> None:
    desk.add()
    seq = seq_of(desk, "OBS-900")
    desk.run("ledger", "destroy", str(desk.folder), str(seq), "--reason", "order", "--yes")
    assert b"missiles on deck" not in b"".join(path.read_bytes() for path in desk.folder.glob("ledger.db*"))
    behind(desk, ("UPDATE entry SET body = ? WHERE seq = ?", (b'{"row":{"id":"OBS-900"}}', seq)))
    assert "body and salt" in audit(desk)
    assert "OBS-900" not in desk.run("board", str(desk.folder), "--on", "1962-11-12", "--json")


def test_what_was_destroyed_does_not_come_back_with_the_folder(desk: DeskOf) -> None:
    desk.add()
    desk.run("ledger", "destroy", str(desk.folder), str(seq_of(desk, "OBS-900")), "--reason", "order", "--yes")
    found = desk.json("report", "import", str(desk.folder), str(desk.folder))
    assert found["destroyed"] == [f"{OBSERVATIONS}/OBS-900"]
    assert found["new"] == found["corrected"] == []


def test_of_two_equal_files_one_can_be_destroyed(desk: DeskOf, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (desk.folder / name).write_text("the same\n")
    desk.run("report", "import", str(desk.folder), str(desk.folder))
    desk.run("ledger", "destroy", str(desk.folder), str(seq_of(desk, "b.txt")), "--reason", "order", "--yes")
    desk.run("ledger", "export", str(desk.folder), str(tmp_path / "out"))
    assert (tmp_path / "out" / "a.txt").read_text() == "the same\n"
    assert not (tmp_path / "out" / "b.txt").exists()
    assert "all fits" in audit(desk, expect=0)
    desk.run("ledger", "destroy", str(desk.folder), str(seq_of(desk, "a.txt")), "--reason", "order", "--yes")
    assert "all fits" in audit(desk, expect=0)
    assert b"the same\n" not in (desk.folder / "ledger.db").read_bytes()


@pytest.mark.parametrize("table", ["../../etc", "observation", "sources.csv", "", "/etc/passwd"])
def test_no_table_no_row(desk: DeskOf, table: str) -> None:
    assert "no table" in desk.run("report", "add", str(desk.folder), table, "id=1", expect=2)


def test_a_key_of_the_same_name_does_not_sign(desk: DeskOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = set_up(tmp_path / "evil", monkeypatch)
    desk.run("ledger", "init", str(other), "--key", str(tmp_path / "evil.key"))
    row = [f"{name}={value}" for name, value in NEW.items()]
    told = desk.run("report", "add", str(desk.folder), "observations", *row, "--key", str(tmp_path / "evil.key"), expect=2)
    assert "a key that the case does not know" in told


def test_a_key_that_was_given_up_does_not_sign(desk: DeskOf, tmp_path: Path) -> None:
    desk.run("ledger", "rotate-key", str(desk.folder), "--new-key", str(tmp_path / "new.key"))
    row = [f"{name}={value}" for name, value in NEW.items()]
    assert "given up" in desk.run("report", "add", str(desk.folder), "observations", *row, expect=2)
    desk.run("report", "add", str(desk.folder), "observations", *row, "--key", str(tmp_path / "new.key"))


def test_columns_that_only_some_rows_have_are_kept(desk: DeskOf, tmp_path: Path) -> None:
    rows = [
        {**NEW, "vessel": "", "count_low": "", "count_high": "", "note": "", "id": f"OBS-90{n}", "statement": f"no {n}"}
        for n in (1, 2)
    ]
    rows[1]["known_to"] = "all"
    (tmp_path / "observations.json").write_text(json.dumps(rows))
    desk.run("report", "import", str(desk.folder), str(tmp_path / "observations.json"))
    header, *lines = (desk.folder / OBSERVATIONS).read_text().splitlines()
    assert header.endswith(",known_to")
    assert lines[-1].endswith(",all")
    # The rows that were there are as they were: another column says nothing about them.
    assert "note:" not in desk.run("board", str(desk.folder))
    # A file that does not speak of the column leaves it alone.
    (tmp_path / "more").mkdir()
    table = tmp_path / "more" / "observations.json"
    table.write_text(json.dumps([{k: v for k, v in rows[1].items() if k != "known_to"}]))
    assert desk.json("report", "import", str(desk.folder), str(table))["corrected"] == []


def test_two_sides_may_each_have_another_column(desk: DeskOf, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    desk.run("ledger", "export", str(desk.folder), str(theirs))
    for folder, column in ((desk.folder, "known_to"), (theirs, "graded_by")):
        header, *lines = (folder / OBSERVATIONS).read_text().splitlines()
        text = [
            f"{header},{column}",
            *(f"{line}," for line in lines[:-1]),
            f"{lines[-1]},{'all' if column == 'known_to' else ''}",
        ]
        (folder / OBSERVATIONS).write_text("\n".join(text) + "\n")
    desk.run("report", "import", str(desk.folder), str(desk.folder))
    found = desk.json("report", "import", str(desk.folder), str(theirs))
    assert (found["old"], found["corrected"]) == ([f"{OBSERVATIONS}/OBS-200"], [OBSERVATIONS])
    assert (desk.folder / OBSERVATIONS).read_text().splitlines()[0].endswith(",known_to,graded_by")
    desk.run("board", str(desk.folder))


def test_a_table_in_a_folder_below_is_given_back(desk: DeskOf, tmp_path: Path) -> None:
    (desk.folder / "reports" / "old").mkdir()
    shutil.copy(desk.folder / "reports" / "incidents.csv", desk.folder / "reports" / "old" / "incidents.csv")
    desk.run("report", "import", str(desk.folder), str(desk.folder))
    desk.run("ledger", "export", str(desk.folder), str(tmp_path / "out"))
    there, was = tmp_path / "out" / "reports" / "old" / "incidents.csv", desk.folder / "reports" / "incidents.csv"
    assert there.read_bytes() == was.read_bytes()


def test_a_hand_that_goes_back_is_told(desk: DeskOf) -> None:
    was = (desk.folder / OBSERVATIONS).read_text()
    desk.run("report", "add", str(desk.folder), "observations", *(f"{k}={v}" for k, v in NEW.items()))
    later = (desk.folder / OBSERVATIONS).read_text().replace("embarked,3,", "embarked,4,")
    (desk.folder / OBSERVATIONS).write_text(later)
    desk.run("report", "import", str(desk.folder), str(desk.folder))
    (desk.folder / OBSERVATIONS).write_text(later.replace("embarked,4,", "embarked,3,"))
    assert was != later
    assert "an older version of reports/observations.csv/OBS-900" in desk.run("board", str(desk.folder))


def test_two_witnesses_by_file(desk: DeskOf, tmp_path: Path) -> None:
    for name in ("w1", "w2"):
        folder = tmp_path / name
        desk.run("ledger", "witness", "init", str(folder), "--name", f"example/{name}")
        desk.run("ledger", "witness", "watch", str(folder), desk.key)
        desk.run("ledger", "add-witness", str(desk.folder), str(folder / "witness.vkey"))
    assert "which witness" in desk.run("ledger", "checkpoint", str(desk.folder), "--request", str(tmp_path / "r"), expect=2)
    for _ in range(2):
        for name in ("w1", "w2"):
            request, answer = tmp_path / f"{name}.request", tmp_path / f"{name}.answer"
            arguments = ["--request", str(request), "--to", f"example/{name}"]
            desk.run("ledger", "checkpoint", str(desk.folder), *arguments)
            desk.run("ledger", "witness", "sign", str(tmp_path / name), str(request), "-o", str(answer))
            note = desk.run("ledger", "checkpoint", str(desk.folder), "--answer", str(answer))
            assert f"— example/{name} " in note
        assert "— example/w1 " in note
        desk.add(id=f"OBS-9{_}0", statement=f"round {_}")


def test_an_answer_that_came_too_late(desk: DeskOf, tmp_path: Path) -> None:
    folder, request, answer = tmp_path / "w", tmp_path / "request", tmp_path / "answer"
    desk.run("ledger", "witness", "init", str(folder), "--name", "example/w")
    desk.run("ledger", "witness", "watch", str(folder), desk.key)
    desk.run("ledger", "add-witness", str(desk.folder), str(folder / "witness.vkey"))
    desk.run("ledger", "checkpoint", str(desk.folder), "--request", str(request))
    desk.run("ledger", "witness", "sign", str(folder), str(request), "-o", str(answer))
    size = request.read_text().splitlines()[3]
    desk.add()
    assert "write a request anew" in desk.run("ledger", "checkpoint", str(desk.folder), "--answer", str(answer), expect=2)
    desk.run("ledger", "checkpoint", str(desk.folder), "--request", str(request))
    desk.run("ledger", "witness", "sign", str(folder), str(request), "-o", str(answer), expect=1)
    told = desk.run("ledger", "checkpoint", str(desk.folder), "--answer", str(answer), expect=2)
    assert f"--from {size}" in told
    desk.run("ledger", "checkpoint", str(desk.folder), "--request", str(request), "--from", size)
    desk.run("ledger", "witness", "sign", str(folder), str(request), "-o", str(answer))
    assert "— example/w " in desk.run("ledger", "checkpoint", str(desk.folder), "--answer", str(answer), "--from", size)


def test_a_disk_that_may_not_be_written_is_read(desk: DeskOf) -> None:
    """As root may write anywhere, the file is opened here as one who may not."""
    store = SqliteStore(desk.folder / "ledger.db", read_only=True)
    with store.read() as reading:
        assert reading.size() == 939
    with pytest.raises(StoreFullError), store.write():
        pass
    store.close()


def test_a_year_that_may_be_a_size(desk: DeskOf) -> None:
    assert "may be a size or a year" in desk.run("board", str(desk.folder), "--recorded", "2026", expect=2)
    desk.run("board", str(desk.folder), "--recorded", "#939")


def test_a_set_up_that_was_stopped_can_be_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = DeskOf(set_up(tmp_path, monkeypatch), capsys)
    SqliteStore.make(made.folder / "ledger.db", "tallybook.local/ours").close()
    assert "entries, signed" in made.run("ledger", "init", str(made.folder))
    assert "there is a ledger already" in made.run("ledger", "init", str(made.folder), expect=2)
