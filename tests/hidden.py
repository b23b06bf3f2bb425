"""Cases with the same low records and different high ones, and every byte that a low reader gets of them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tallybook.casefile.new import new_case
from tallybook.cli.main import main

LOW, HIGH = "TLP:GREEN", "TLP:RED"
POLICY = """\
scheme: TLP
unmarked: TLP:GREEN
ruled_by: the test
files: {secret-note.txt: TLP:RED, sources/secret.txt: TLP:RED}
readers:
  low: {clearance: TLP:GREEN}
  high: {clearance: TLP:RED, roles: [releasing authority]}
"""
CANARY = "ZEPHYR"
"""A word that stands in every high record, and must be in nothing that a low reader gets."""

_TEXT = st.text("abcdeXYZ 0123\"',;=é", max_size=30).map(lambda text: f"{CANARY} {text}".strip())
_DAY = st.dates().map(lambda day: f"2031-{day.month:02d}-{min(day.day, 28):02d}")
_SOURCE = st.sampled_from(["SRC-SAT", "SRC-COM", "SRC-HIGH", "SRC-LETTER"])
_PLACE = st.sampled_from(["West Point", "East Point", "North Harbour", "hidden-base", ""])


@dataclass(frozen=True)
class High:
    """High records: rows by table, each with where among the low ones it goes; entries of YAML files; files."""

    rows: Mapping[str, Sequence[tuple[int, dict[str, str]]]]
    agreement: str
    files: Mapping[str, str]


NOTHING = High({}, "", {})


@st.composite
def _observation(draw: st.DrawFn, name: str) -> dict[str, str]:
    day = draw(_DAY)
    item, stage, method = draw(
        st.sampled_from(
            [
                ("launcher", "deployed", "satellite"),
                ("launcher", "departed", "harbour_count"),
                ("launcher", "absent", "satellite"),
            ]
        )
    )
    return {
        "id": name,
        "reported_at": day,
        "observed_from": day,
        "observed_to": day,
        "source_id": draw(_SOURCE),
        "method": method,
        "observer": draw(st.sampled_from(["Southland survey", "Commission", "Northland", "an agent"])),
        "place": draw(_PLACE),
        "item_class": item,
        "stage": stage,
        "count": str(draw(st.integers(0, 40))),
        "statement": draw(_TEXT),
        "grade": draw(st.sampled_from(["A1", "B2", "C3", "F6", ""])),
        "note": draw(_TEXT),
        "known_to": draw(st.sampled_from(["", "Northland"])),
        "exhibits": draw(st.sampled_from(["", "EXH-HIGH"])),
    }


@st.composite
def highs(draw: st.DrawFn) -> High:
    """Any set of high records."""
    at = st.integers(0, 12)
    names = [f"OBS-H{n}" for n in range(draw(st.integers(0, 4)))]
    # A high record may be named as a low one is.
    names += ["OBS-03"] if draw(st.booleans()) else []
    rows: dict[str, list[tuple[int, dict[str, str]]]] = {
        "reports/observations.csv": [(draw(at), draw(_observation(name))) for name in names],
        "reports/sources.csv": [(draw(at), {"source_id": "SRC-HIGH", "title": draw(_TEXT), "author_agency": draw(_TEXT)})],
    }
    about = [*names, "OBS-08", "OBS-09"]
    bearings = []
    for n in range(draw(st.integers(0, 3))):
        bearings.append(
            {
                "report": draw(st.sampled_from(about)),
                "claim": draw(st.sampled_from(["launchers_removed", "sites_broken_up"])),
                "bears": draw(st.sampled_from(["for", "against", "neither"])),
                "by": draw(_TEXT),
                "known_at": f"2031-04-{n + 10:02d}",
                "reason": draw(_TEXT),
            }
        )
    rows["reports/bearings.csv"] = [(draw(at), row) for row in bearings]
    if draw(st.booleans()):
        day = draw(_DAY)
        incident = {
            "id": "INC-H1",
            "date": day,
            "known_at": day,
            "kind": "access_refusal",
            "by": "Northland",
            "summary": draw(_TEXT),
        }
        rows["reports/incidents.csv"] = [(draw(at), incident | {"source_id": "SRC-HIGH"})]
        measure = {
            "id": "MEA-H1",
            "measure": "sea_patrols",
            "state": "lifted",
            "from": day,
            "known_at": day,
            "source_id": "SRC-HIGH",
        }
        rows["reports/measures.csv"] = [(draw(at), measure | {"description": draw(_TEXT)})]
        word = {
            "id": "COM-H1",
            "made_at": day,
            "by": "Northland",
            "to": "Southland",
            "text": draw(_TEXT),
            "source_id": "SRC-HIGH",
        }
        rows["reports/commitments.csv"] = [(draw(at), word)]
        ship = {"id": "VES-H1", "name": draw(_TEXT), "known_at": day, "items_counted": "3", "cargo_class": "launcher"}
        rows["reports/vessels.csv"] = [(draw(at), ship | {"source_id": "SRC-HIGH"})]
    rows["places.csv"] = [(draw(at), {"id": "hidden-base", "name": draw(_TEXT), "kind": "site", "within": "west-point"})]
    exhibit = {"id": "EXH-HIGH", "sha256": "ab" * 32, "kind": "photograph", "title": draw(_TEXT), "source_id": "SRC-HIGH"}
    rows["reports/exhibits.csv"] = [(draw(at), exhibit | {"known_at": "2031-04-01", "reports": "OBS-08", "origin": "x"})]
    rows["reports/custody.csv"] = [
        (draw(at), {"exhibit": "EXH-HIGH", "held_by": draw(_TEXT), "from": "2031-04-01", "known_at": "2031-04-01"})
    ]
    rows["reports/identities.csv"] = [
        (0, {"source_id": "SRC-WIT", "identity": draw(_TEXT), "by": "desk", "known_at": "2031-03-01"})
    ]
    claim = (
        "\n  - {id: hidden_claim, title: ZEPHYR, says: the ZEPHYR base is empty, marking: TLP:RED, rules: []}\n"
        if draw(st.booleans())
        else ""
    )
    files = {"secret-note.txt": draw(_TEXT), "sources/secret.txt": draw(_TEXT)} if draw(st.booleans()) else {}
    return High(rows, claim, files)


COLUMNS = {
    "reports/exhibits.csv": "id,sha256,kind,title,origin,made_at,place,source_id,licence,known_at,media_type,reports",
    "reports/custody.csv": "exhibit,held_by,from,to,how,known_at",
    "reports/identities.csv": "source_id,identity,contact,note,by,known_at",
}
LOW_EXHIBIT = {
    "id": "EXH-LOW",
    "sha256": "cd" * 32,
    "kind": "document",
    "title": "count sheet",
    "origin": "the Commission",
    "source_id": "SRC-COM",
    "known_at": "2031-04-02",
}


def build(folder: Path, high: High) -> None:
    """Write the case: the template `removal` as the low records, one low row that names high ones, and the high records."""
    new_case(folder, "removal")
    (folder / "markings.yaml").write_text(POLICY)
    tables: dict[str, list[Any]] = {**{name: [] for name in COLUMNS}, **{name: [] for name in high.rows}}
    tables |= {f"reports/{path.name}": [] for path in (folder / "reports").iterdir()}
    for name in tables:
        path = folder / name
        text = path.read_text("utf-8") if path.exists() else COLUMNS[name] + "\n"
        reader = csv.DictReader(io.StringIO(text))
        columns, rows = list(reader.fieldnames or ()), list(reader)
        _low_rows(name, rows)
        for at, row in high.rows.get(name, ()):
            rows.insert(min(at, len(rows)), row | {"marking": HIGH})
        columns += [column for row in rows for column in row if column not in columns]
        out = io.StringIO()
        writer = csv.DictWriter(out, dict.fromkeys(columns), lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(rows)
        if rows or path.exists():
            path.write_text(out.getvalue(), "utf-8")
    agreement = folder / "agreement.yaml"
    agreement.write_text(agreement.read_text("utf-8").replace("\nboard:", f"{high.agreement}\nboard:"), "utf-8")
    for name, text in high.files.items():
        (folder / name).write_text(text, "utf-8")


def _low_rows(name: str, rows: list[dict[str, str]]) -> None:
    """Low records that name high ones: the names must not be seen, and the records are low all the same."""
    if name == "reports/exhibits.csv":
        rows.append(LOW_EXHIBIT | {"reports": "OBS-H0; OBS-08"})
    if name == "reports/bearings.csv":
        rows[0]["restates"] = "OBS-08 OBS-H0"
    if name == "reports/observations.csv":
        rows[2]["exhibits"] = "EXH-LOW; EXH-HIGH"
        # Its source is described in a high row, or in none.
        rows[8]["source_id"] = "SRC-HIGH"


LINES = ("launchers_removed", "carriages_removed", "sites_broken_up", "none_returned", "sea_patrols", "@removal", "@end-patrols")


def commands(case: str, out: str) -> Iterator[list[str]]:
    """What a low reader may ask. `out` is a folder for files."""
    reader = ["--as", "low"]
    for form in ([], ["--json"], ["--md"], ["--html", f"{out}/board.html"]):
        yield ["board", case, *reader, *form]
    yield ["board", case, *reader, "--on", "2031-03-20", "--known", "2031-06-01", "--json"]
    yield ["board", case, *reader, "--side", "Northland", "--json"]
    for line in LINES:
        yield ["why", case, line, *reader]
    yield ["why", case, "launchers_removed", *reader, "--json", "--check"]
    yield ["owed", case, *reader, "--json"]
    yield ["holdings", case, *reader, "--json"]
    yield ["holdings", case, *reader, "--plot", f"{out}/plot.svg"]
    yield ["holdings", case, "launcher", *reader]
    yield ["changes", case, *reader, "--since", "2031-03-20"]
    yield ["check", case, *reader]
    yield ["check", case, *reader, "--json"]
    yield ["agreement", "show", case, *reader]
    yield ["agreement", "codify", case, *reader, "--akn", f"{out}/code.xml"]
    yield ["agreement", "diff", case, *reader, "--from", "2031-03-01", "--json"]
    yield ["agreement", "lint", case, *reader, "--trials", "3", "--json"]
    # What is refused tells as little.
    yield ["why", case, "hidden_claim", *reader]
    yield ["why", case, "@hidden", *reader]
    yield ["holdings", case, "no-such-place", *reader]
    yield ["board", case, *reader, "--on", "no date"]
    yield ["board", case, *reader, "--reading", "none"]
    yield ["board", case, "--as", "TLP:CLEAR"]
    yield ["board", case, "--as", "nobody"]


RELEASE = ["--to", "low", "--by", "high", "--authority", "the test", "--reason", "a test", "--despite-mentions"]


def run(arguments: list[str]) -> tuple[int, str, str]:
    """A command of the program: exit code, standard output, standard error."""
    raw, err = io.BytesIO(), io.StringIO()
    out = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    with redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    out.flush()
    return code, raw.getvalue().decode("utf-8"), err.getvalue()


def everything(case: Path, out: Path, more: Sequence[list[str]] = ()) -> dict[str, Any]:
    """Every byte that the low reader gets: what each command prints, and every file that it writes."""
    found: dict[str, Any] = {}
    for arguments in (*commands(str(case), str(out)), *more):
        found[" ".join(arguments)] = run(arguments)
    for path in sorted(out.rglob("*")):
        if path.is_file():
            found[str(path.relative_to(out))] = path.read_bytes()
    return found


def told(found: Mapping[str, Any]) -> str:
    """All of it as one text."""
    return "\n".join(
        value.decode("utf-8", "replace") if isinstance(value, bytes) else "\n".join(map(str, value)) for value in found.values()
    )


def leaks(text: str) -> list[str]:
    """Words of high records in a text."""
    return re.findall(rf"{CANARY}|OBS-H\d|hidden-base|EXH-HIGH|INC-H1", text)
