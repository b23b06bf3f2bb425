"""The audit of reads: every note is kept, and one that was changed, taken out or put in is found, with its row."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256

import pytest

from accounts.people import DAY, NOW, behind
from accounts.trying import notes_at_once
from tallybook.accounts.errors import AccountError, UsersFileError
from tallybook.accounts.reads import LONGEST, START, Read, check_reads, note_read, reads
from tallybook.accounts.store import UsersFile


def note(file: UsersFile, user: str = "anna", case: str = "cuba", command: str = "board", at: timedelta = timedelta()) -> Read:
    return note_read(file, user, case, command, "TLP:AMBER", "2001-01-01", None, NOW + at)


def five(file: UsersFile) -> list[Read]:
    who = [("anna", "a"), ("bob", "a"), ("bob", "b"), ("anna", "a"), ("bob", "a")]
    return [note(file, user, case, at=n * DAY) for n, (user, case) in enumerate(who)]


def test_a_note_is_kept_as_given(file: UsersFile) -> None:
    made = note_read(file, "bob", "/cases/cuba", "why x", "SECRET", "1962-11-12", "1962-11-13", NOW)
    assert made == Read(1, "2001-02-03T04:05:06.000000Z", "bob", "/cases/cuba", "why x", "SECRET", "1962-11-12", "1962-11-13", "")
    assert list(reads(UsersFile(file.path))) == [made]


def test_notes_are_listed_in_order_and_by_user_and_case(file: UsersFile) -> None:
    made = [*five(file), note(file, "bob", "b", at=6 * DAY)]
    assert list(reads(file)) == made
    assert [found.seq for found in reads(file, "bob")] == [2, 3, 5, 6]
    assert [found.seq for found in reads(file, None, "b")] == [3, 6]
    assert [found.seq for found in reads(file, "anna", "a")] == [1, 4]
    assert list(reads(file, "eve")) == []


def test_the_chain_is_plain_sha256_over_the_hash_before_and_the_words(file: UsersFile) -> None:
    assert check_reads(file).text == f"0:{sha256(b'tallybook reads' + bytes([10])).hexdigest()}"
    five(file)
    before = START
    with file.read() as link:
        for said, kept in link.execute("SELECT said, hash FROM read ORDER BY seq").fetchall():
            before = sha256(before + said.encode()).digest()
            assert kept == before
            assert set(json.loads(said)) == {"seq", "at", "user", "case", "command", "marking", "on", "known", "clock"}
    assert check_reads(file).text == f"5:{before.hex()}"
    assert check_reads(file).holds


TAMPERED = [
    ("UPDATE read SET said = replace(said, 'bob', 'eve') WHERE seq = 3", 3, "changed"),
    ("UPDATE read SET hash = zeroblob(32) WHERE seq = 3", 3, "changed"),
    ("UPDATE read SET hash = zeroblob(32) WHERE seq = 5", 5, "changed"),
    ("DELETE FROM read WHERE seq = 1", 1, "missing"),
    ("DELETE FROM read WHERE seq = 3", 3, "missing"),
    ("UPDATE read SET seq = 9 WHERE seq = 3", 3, "missing"),
    ("UPDATE read SET said = 'x' WHERE seq = 2", 2, "changed"),
    ("UPDATE read SET said = (SELECT said FROM read WHERE seq = 4) WHERE seq = 5", 5, "changed"),
    ("INSERT INTO read SELECT 6, said, hash FROM read WHERE seq = 5", 6, "changed"),
]


@pytest.mark.parametrize(("statement", "row", "what"), TAMPERED)
def test_what_was_tampered_with_is_found_with_its_row(file: UsersFile, statement: str, row: int, what: str) -> None:
    five(file)
    behind(file, statement)
    chain = check_reads(file)
    assert not chain.holds
    assert chain.broken_at == row
    assert what in chain.what


WHOLE = dict.fromkeys(Read.__slots__, "") | {"seq": 6, "at": "2001-02-03T04:05:06.000000Z"}
UNREADABLE = [
    "x",
    "[]",
    "1",
    "null",
    '{"seq":1}',
    "[" * 100_000,
    json.dumps(WHOLE | {"seq": "6"}),
    json.dumps(WHOLE | {"user": None}),
    json.dumps(WHOLE | {"at": "never"}),
    json.dumps(WHOLE | {"more": ""}),
]


@pytest.mark.parametrize("said", UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_note_that_says_nothing_readable_is_found_though_its_hash_fits(file: UsersFile, said: str) -> None:
    five(file)
    head = bytes.fromhex(check_reads(file).text.split(":")[1])
    behind(file, f"INSERT INTO read VALUES (6, '{said}', x'{sha256(head + said.encode()).hexdigest()}')")
    chain = check_reads(file)
    assert (chain.broken_at, chain.what) == (6, "it says nothing readable")
    assert len(list(reads(file))) == 5
    with pytest.raises(UsersFileError, match="nothing can be noted and nothing is shown"):
        note(file)


def test_a_note_that_says_another_number_is_found_though_its_hash_fits(file: UsersFile) -> None:
    five(file)
    head, said = bytes.fromhex(check_reads(file).text.split(":")[1]), json.dumps(WHOLE | {"seq": 7})
    behind(file, f"INSERT INTO read VALUES (6, '{said}', x'{sha256(head + said.encode()).hexdigest()}')")
    assert (check_reads(file).broken_at, check_reads(file).what) == (6, "it says another number")


@pytest.mark.parametrize("change", ["said = CAST(said AS BLOB)", "hash = 'text'", "said = NULL"])
def test_a_row_of_another_type_is_found(file: UsersFile, change: str) -> None:
    five(file)
    loose = "CREATE TABLE loose (seq INTEGER PRIMARY KEY, said, hash)"
    moved = ("INSERT INTO loose SELECT * FROM read", "DROP TABLE read", "ALTER TABLE loose RENAME TO read")
    behind(file, loose, *moved, f"UPDATE read SET {change} WHERE seq = 2")
    assert (check_reads(file).broken_at, check_reads(file).what) == (2, "it says nothing readable")


def test_the_guard_rails_stop_slips(file: UsersFile) -> None:
    five(file)
    for statement in ("DELETE FROM read", "UPDATE read SET said = ''"):
        with pytest.raises(UsersFileError), file.write() as link:
            link.execute(statement)
    assert check_reads(file).holds


def test_a_tail_that_was_cut_off_is_found_by_a_head_that_was_kept_and_by_nothing_else(file: UsersFile) -> None:
    five(file)
    had = check_reads(file).text
    assert check_reads(file, had).holds
    note(file)
    assert check_reads(file, had).holds
    behind(file, "DELETE FROM read WHERE seq > 4")
    assert check_reads(file).holds
    assert check_reads(file, had).broken_at == 5
    assert check_reads(file, had).what == "there were 5 notes, and the last are gone"


def test_a_chain_made_anew_is_found_by_a_head_that_was_kept(file: UsersFile) -> None:
    five(file)
    had = check_reads(file).text
    behind(file, "DELETE FROM read")
    for _ in range(6):
        note(file)
    assert check_reads(file).holds
    assert check_reads(file, had).broken_at == 5
    assert not check_reads(file, f"0:{'0' * 64}").holds
    assert check_reads(file, f"0:{START.hex()}").holds


@pytest.mark.parametrize(
    "had", ["", "5", "5:", f"5:{'g' * 64}", f"-1:{'0' * 64}", f"{'9' * 400}:{'0' * 64}", f"\u0661:{'0' * 64}"]
)
def test_a_head_that_is_none_is_refused(file: UsersFile, had: str) -> None:
    with pytest.raises(AccountError, match="not SIZE:HASH"):
        check_reads(file, had)


def test_a_clock_that_goes_back_is_noted_and_the_order_stays(file: UsersFile) -> None:
    note(file, at=DAY)
    late = note(file)
    assert (late.at, late.clock) == ("2001-02-04T04:05:06.000000Z", "2001-02-03T04:05:06.000000Z")
    assert note(file, at=2 * DAY).clock == ""
    assert check_reads(file).holds


def test_a_token_in_a_command_is_not_kept(file: UsersFile) -> None:
    token = f"tby_{'a' * 12}_{'b' * 64}"
    made = note(file, command=f"board --token={token}", case=token)
    assert made.command == f"board --token=tby_{'a' * 12}_…"
    raw = b"".join(path.read_bytes() for path in file.path.parent.iterdir())
    assert b"b" * 64 not in raw


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\x1b[2J", "x\ny", "\u202e", "\U0001f600", "'); DROP TABLE read; --"])
def test_strange_texts_are_noted_and_chained_alike(file: UsersFile, text: str) -> None:
    note(file, command=text, case=text)
    assert check_reads(file).holds
    [found] = reads(file)
    assert found.command in (text, "\\ud800")


@pytest.mark.parametrize("name", ["case", "command"])
def test_what_is_too_long_to_be_noted_is_refused(file: UsersFile, name: str) -> None:
    def long(size: int) -> Read:
        given = {"case": "cuba", "command": "board"} | {name: "x" * size}
        return note(file, "anna", given["case"], given["command"])

    long(LONGEST[name])
    with pytest.raises(AccountError, match=f"{name}: over"):
        long(LONGEST[name] + 1)
    assert check_reads(file).size == 1


def test_processes_that_note_at_once_make_one_chain(file: UsersFile) -> None:
    assert notes_at_once(file.path, "anna", processes=2, count=20) == {str(n): 1 for n in range(1, 41)}
    assert check_reads(file).holds
    assert check_reads(file).size == 40


def test_a_read_that_cannot_be_noted_is_told(file: UsersFile) -> None:
    file.path.unlink()
    with pytest.raises(UsersFileError):
        note(file)
