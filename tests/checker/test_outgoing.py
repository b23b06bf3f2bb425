"""What leaves is read by a second program: it agrees with the first on every marking, and refuses whatever it cannot read."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markings.strategies import NAMES, OWN, SCHEMES, markings
from tallybook.checker import outgoing
from tallybook.checker.outgoing import MOST_BYTES, MOST_FAULTS, outgoing_faults
from tallybook.markings.marking import Clearance, Marking, MarkingError, join
from tallybook.markings.scheme import Scheme
from tallybook.markings.text import LONGEST, banner, parse, parse_grant, portion

DATA: Mapping[str, Any] = {
    name: json.loads((files("tallybook.markings") / "schemes" / f"{name}.json").read_bytes())
    for name in ("US", "TLP", "UN", "US-1962")
} | {"OWN-2": OWN}
USE: Mapping[str, Scheme] = {name: SCHEMES[name] for name in DATA}
US = USE["US"]
CLEARED = "SECRET//SI//OF GBR & TLP:AMBER"
READER = ("partner-desk", "Mc Cloy")


def rows(*texts: str) -> bytes:
    return "".join(f"{line}\r\n" for line in ("id,marking", *(f'R-{n},"{text}"' for n, text in enumerate(texts)))).encode()


def faults(*texts: str, **options: Any) -> list[str]:
    return outgoing_faults({"places.csv": rows(*texts)}, DATA, CLEARED, READER, **options)


def test_what_may_leave() -> None:
    texts = (
        "SECRET",
        "(C//REL TO USA, GBR)",
        "u//fouo",
        "SECRET//SI//EYES ONLY FOR MCCLOY; MC CLOY//ORCON//DECL EXEMPT",
        "S & TLP:AMBER",
    )
    assert faults(*texts) == []
    assert outgoing_faults({"agreement.yaml": b""}, DATA, CLEARED, READER, file_markings={"agreement.yaml": "SECRET"}) == []
    assert outgoing_faults({}, DATA, CLEARED, READER) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("TOP SECRET", "'TOP SECRET' is above the reader"),
        ("S//TK", "is above the reader"),
        ("S//SI-ABC", "is above the reader"),
        ("S//NF", "is above the reader"),
        ("S//REL TO USA, FRA", "is above the reader"),
        ("S//ORIGINATOR ONLY", "is above the reader"),
        ("S//EYES ONLY FOR stevenson", "is above the reader"),
        ("S//EYES ONLY FOR NOBODY", "is above the reader"),
        ("S//NF//NODIS", "is above the reader"),
        ("TLP:RED", "is above the reader"),
        ("S & TLP:RED", "is above the reader"),
        ("UN:UNCLASSIFIED", "is above the reader"),
        ("", "bears no marking"),
        ("  ", "bears no marking"),
        ("WITHHELD", "is withheld, or cannot be read"),
        ("SECRT", "is no level of US"),
        ("\u0405ECRET", "is no level of US"),
        ("S//NONSUCH", "is no word of US"),
        ("S//RELIDO", "cannot be read in US"),
        ("S//DISPLAY ONLY GBR", "cannot be read in US"),
        ("NATO:SECRET", "is no scheme in use"),
        ("S & C", "is no scheme in use, or is there twice"),
        ("S//OC/OC", "says something twice"),
        ("S//REL TO USA, GBR//REL TO GBR, FRA", "says something twice"),
        ("S//OF GBR", "OF, in a marking"),
        ("S//REL TO GBR, ORCON", "stands where a name should"),
        ("S//REL TO GBR, GBR", "a name twice"),
        ("S//DECL 2050-02-30", "is no date"),
        ("S//DECL later", "is no date"),
        ("S\x07", "'S<U+0007>' is withheld, or cannot be read"),
        ("S" * 501, "cannot be read"),
        ("S//", "is no word of US"),
    ],
)
def test_what_must_not_leave(text: str, fault: str) -> None:
    found = faults("SECRET", text, "CONFIDENTIAL")
    assert len(found) == 1
    assert found[0].startswith("places.csv:3: ")
    assert fault in found[0]


def test_every_kind_of_file() -> None:
    files_out = {
        "reports/observations.csv": rows("TS"),
        "reports/sources.csv": b"id,title\nA,b\n",
        "reports/twice.csv": b"marking,marking\nS,S\n",
        "reports/torn.csv": b"id,marking\nA,S,x\n",
        "reports/open.csv": b'id,marking\nA,"S\n',
        "reports/latin.csv": b"id,marking\nA,\xff\n",
        "reports/long.csv": b"id,marking\n" + b"A" * 140_000 + b",S\n",
        "reports/large.csv": b" " * (MOST_BYTES + 1),
        "reports/empty.csv": b"",
        "agreement.yaml": b"",
        "note.txt": b"",
        "other/reports/x.csv": rows("S"),
    }
    assert outgoing_faults(files_out, DATA, CLEARED, READER, file_markings={"note.txt": "S//NF"}) == [
        "agreement.yaml: bears no marking",
        "note.txt: 'S//NF' is above the reader",
        "other/reports/x.csv: bears no marking",
        "reports/empty.csv: 0 columns marking; one is needed",
        f"reports/large.csv: {MOST_BYTES + 1} bytes; at most {MOST_BYTES} are read",
        "reports/latin.csv: no table in UTF-8, or a cell of more than 131,072 characters",
        "reports/long.csv: no table in UTF-8, or a cell of more than 131,072 characters",
        "reports/observations.csv:2: 'TS' is above the reader",
        "reports/open.csv: no table in UTF-8, or a cell of more than 131,072 characters",
        "reports/sources.csv: 0 columns marking; one is needed",
        "reports/torn.csv: line 2: 3 cells under 2 columns",
        "reports/twice.csv: 2 columns marking; one is needed",
    ]


def test_lines_are_those_of_the_file() -> None:
    raw = b'\xef\xbb\xbfid, marking \r\n"a\r\nb",S\r\n\r\nc,TS\r\n'
    assert outgoing_faults({"places.csv": raw}, DATA, CLEARED, READER) == ["places.csv:5: 'TS' is above the reader"]


def test_what_bears_none_where_somebody_ruled() -> None:
    assert faults("", unmarked="UNCLASSIFIED") == []
    assert faults("", unmarked="TS") == ["places.csv:2: bears no marking, and what bears none is above the reader"]
    assert faults("", unmarked="TZ") == ["the reader's clearance, or the ruling: 'TZ' is no level of US"]
    assert outgoing_faults({"a.txt": b""}, DATA, CLEARED, READER, unmarked="UNCLASSIFIED") == []


@pytest.mark.parametrize("clearance", ["", "SECRT", "S//OF FVEY", "NATO:SECRET", "WITHHELD", "S & S"])
def test_a_clearance_that_cannot_be_read_lets_nothing_out(clearance: str) -> None:
    found = outgoing_faults({"places.csv": rows("U")}, DATA, clearance, READER)
    assert len(found) == 1
    assert found[0].startswith("the reader's clearance")


@pytest.mark.parametrize(
    ("stated", "row", "fits"),
    [
        ("S", "C", True),
        ("C", "S", False),
        ("S//SI", "S", True),
        ("S", "S//SI", False),
        ("S//REL TO GBR", "S//REL TO USA, GBR", True),
        ("S//REL TO USA, GBR", "S//REL TO GBR, FRA", False),
        ("S//EYES ONLY FOR MC CLOY", "S//EYES ONLY FOR MC CLOY; X", True),
        ("S", "S//EYES ONLY FOR MC CLOY", False),
        ("S", "S & TLP:GREEN", False),
        ("S & TLP:AMBER", "S & TLP:GREEN", True),
        ("S", "", True),
    ],
)
def test_a_file_is_marked_as_strictly_as_its_rows(stated: str, row: str, fits: bool) -> None:
    found = faults("U", row, file_markings={"places.csv": stated}, unmarked="U")
    assert found == ([] if fits else [f"places.csv:3: '{row}' asks for more than the file's own marking"])


def test_a_flood_of_faults_is_cut() -> None:
    found = faults(*["TS"] * (MOST_FAULTS + 5))
    assert found[-1] == "places.csv: and more"
    assert len(found) == MOST_FAULTS + 1
    many = {f"f{n}": b"" for n in range(MOST_FAULTS + 5)}
    found = outgoing_faults(many, DATA, CLEARED, READER)
    assert found[-1] == "and more"
    assert len(found) == MOST_FAULTS + 1


@st.composite
def cleared(draw: st.DrawFn) -> tuple[str, Clearance, list[str]]:
    """A clearance as text, what the first program makes of it, and the names of the reader."""
    texts, grants = [], []
    for name in draw(st.lists(st.sampled_from(list(USE)), min_size=1, max_size=4, unique=True)):
        scheme = USE[name]
        level = draw(st.sampled_from([one.name for one in scheme.levels]))
        words = draw(st.lists(st.sampled_from([word.name for word in scheme.words] or [""]), max_size=5, unique=True))
        belongs = draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))
        text = "//".join([level, *filter(None, words), *([f"OF {', '.join(belongs)}"] if belongs else [])])
        texts.append(f"{name}:{text}")
        grants.append(parse_grant(text, scheme))
    names = draw(st.lists(st.sampled_from(NAMES), max_size=3))
    return " & ".join(texts), Clearance(frozenset(names), tuple(grants)), names


@given(st.lists(markings(USE.values()), min_size=1, max_size=3), cleared(), st.booleans())
def test_two_programs_agree(made: list[Marking], reader: tuple[str, Clearance, list[str]], short: bool) -> None:
    text, clearance, names = reader
    if len(text) > LONGEST:
        return
    written = [(portion if short else banner)(marking, USE) for marking in made]
    kept = [(one, marking) for one, marking in zip(written, made, strict=True) if len(one) <= LONGEST]
    raw = rows(*(one for one, _ in kept))
    found = outgoing_faults({"reports/a.csv": raw}, DATA, text, names)
    barred = [f"reports/a.csv:{n}:" for n, (_, marking) in enumerate(kept, 2) if not clearance.opens(marking)]
    assert [fault.split(" ", 1)[0] for fault in found] == barred
    if (
        kept
        and len(whole := banner(join(*(marking for _, marking in kept)), USE)) <= LONGEST
        and clearance.opens(parse(whole, US, USE))
    ):
        assert outgoing_faults({"reports/a.csv": raw}, DATA, text, names, file_markings={"reports/a.csv": whole}) == []


SOUP = [
    "S",
    "TS",
    "U",
    "//",
    "/",
    " ",
    "(",
    ")",
    "REL TO ",
    "USA",
    "GBR",
    ", ",
    "EYES ONLY FOR ",
    "; ",
    "NF",
    "OC",
    "SI",
    "SI-AB",
    " & ",
]
SOUP += [
    "TLP:",
    "AMBER",
    "DECL 2050-01-01",
    "DECL x",
    "OF ",
    "FVEY",
    "RELIDO",
    "NOBODY",
    "MC CLOY",
    "ORIGINATOR ONLY",
    "\u0405",
    "\uff2e",
]


@given(st.lists(st.sampled_from(SOUP), max_size=9).map("".join))
def test_what_the_first_refuses_the_second_never_lets_out(text: str) -> None:
    clearance = Clearance(
        frozenset({"MC CLOY"}), (parse_grant("TS//SI//OF USA, GBR", US), parse_grant("RED//OF USA", USE["TLP"]))
    )
    try:
        opens = clearance.opens(parse(text, US, USE))
    except MarkingError:
        opens = False
    found = outgoing_faults({"f": b""}, DATA, "TS//SI//OF USA, GBR & TLP:RED//OF USA", ["mc cloy"], file_markings={"f": text})
    assert (found == []) == opens


def test_it_shares_nothing_with_the_first() -> None:
    tree = ast.parse(Path(outgoing.__file__).read_text("utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in names if name and name.startswith("tallybook")} == {"tallybook.errors"}
