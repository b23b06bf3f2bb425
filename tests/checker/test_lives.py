"""Lives of provisions in agreements drawn at random: the checker's are those of the engine, and accepts what is told of them."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from commitments.small import HEAD, INSTRUMENTS, make, state_row
from tallybook import desk
from tallybook.agreement.load import load_agreement
from tallybook.agreement.provision import Definition, Duty
from tallybook.checker.books import Books
from tallybook.checker.check import check
from tallybook.checker.life import life, standing
from tallybook.checker.rows import File
from tallybook.checker.world import World
from tallybook.commitments.commitment import commitment, standing_of
from tallybook.evidence.report import Report
from tallybook.verdicts.inquiry import Case, Inquiry

ROWS = [
    state_row("R1", "full", "2020-01-10", "2020-01-10"),
    state_row("R2", "light", "2020-03-05", "2020-03-05"),
    state_row("R3", "full", "2020-04-20", "2020-04-20"),
]


def columns(row: Report) -> dict[str, str]:
    return {
        "table": "measures",
        "id": row.id,
        "measure": row.measure,
        "state": row.state,
        "from": row.starts.text,
        "to": row.until.text if row.until else "",
        "known_at": row.known.text,
        "description": row.statement,
        "source_id": row.source,
    }


def books_of(body: str, *rows: Report) -> Books:
    listed = "\n".join(f"  {name}: {text}" for name, text in INSTRUMENTS.items())
    head = HEAD.replace("INSTRUMENTS", listed).replace("VOCABULARY", "{methods: {look: {}}}")
    agreement = load_agreement((head + textwrap.dedent(body)).encode()).document.data
    assert isinstance(agreement, dict)
    return Books(agreement, reports={row.id: columns(row) for row in rows}, items={"thing": {}})


ATOMS = ["a(x)", "b(x)", "c(x)", "d(x)"]
DAYS = [f"2020-{month:02d}-{day:02d}" for month in range(1, 7) for day in (3, 17, 30) if (month, day) != (2, 30)]
ASKED = [*DAYS[9:], "2020-07-15", "2020-09-01"]
LIMITS = ["10d", "1mo", "2w", "3mo"]
WORDS = ["performed", "owed", "overdue", "missed", "suspended", "breached", "withheld", "in-force"]


def conditions(duties: list[str], powers: list[str], depth: int = 1) -> st.SearchStrategy[str]:
    """Conditions on events, and on provisions that come earlier, so that there are no circles."""
    simple = st.sampled_from([*ATOMS, "p(x)"])
    if duties:
        simple |= st.builds(lambda word, name: f"{word} @{name}", st.sampled_from(WORDS), st.sampled_from(duties))
    if powers:
        simple |= st.builds(lambda name: f"used @{name}", st.sampled_from(powers))
    if not depth:
        return simple
    inner = conditions(duties, powers, 0)
    pairs = st.builds(lambda a, op, b: f"({a} {op} {b})", inner, st.sampled_from(["and", "or", "implies"]), inner)
    # To look back at a status is to work it out at many instants; a few of those within each other take minutes.
    past = st.builds(lambda a: f"once within 20d {a}", st.sampled_from(ATOMS))
    return simple | pairs | st.builds(lambda a: f"not {a}", inner) | past


def _duty(draw: st.DrawFn, name: str, duties: list[str], powers: list[str]) -> dict[str, Any]:
    text = conditions(duties, powers)
    raw: dict[str, Any] = {
        "id": name,
        "kind": "duty",
        "in": draw(st.sampled_from(["pact", "pact", "pact", "later"])),
        "owed": {"by": "A", "to": "B"},
    }
    raw[draw(st.sampled_from(["achieve", "maintain", "endeavour", "achieve"]))] = draw(text)
    for key in ("when", "in_force", "breached_when"):
        if draw(st.integers(1, 4)) == 1:
            raw[key] = draw(text)
    for key, often in (("by", 2), ("until", 8), ("from", 8), ("earliest", 8)):
        if draw(st.integers(1, often)) == 1:
            raw[key] = draw(st.sampled_from(DAYS))
    if "by" not in raw and draw(st.booleans()):
        raw["within"] = draw(st.sampled_from(LIMITS))
    if draw(st.integers(0, 4)) == 0:
        raw["survives"] = True
    return raw


def _power(draw: st.DrawFn, name: str, every: list[str], duties: list[str], powers: list[str]) -> dict[str, Any]:
    raw: dict[str, Any] = {"id": name, "kind": "power", "holder": "B", "in": "pact"}
    if draw(st.booleans()):
        raw["when"] = draw(conditions(duties, powers))
    if draw(st.booleans()):
        raw["used_by"] = f"u{name}(x)"
    elif draw(st.booleans()):
        raw |= {"measure": "patrol", "states": ["light"]}
    effect: dict[str, Any] = {}
    for key in ("suspend", "resume", "end"):
        if draw(st.integers(0, 2)) == 0:
            effect[key] = draw(st.lists(st.sampled_from([f"@{other}" for other in every]), min_size=1, max_size=2, unique=True))
    if "end" not in effect and draw(st.integers(0, 5)) == 0:
        effect["end"] = "all"
    if "suspend" in effect and draw(st.booleans()):
        effect |= {"at_most": draw(st.sampled_from(["10d", "2w"])), "then": draw(st.sampled_from(["resume", "end"]))}
    return raw | ({"effect": effect} if effect else {})


@st.composite
def agreements(draw: st.DrawFn) -> str:
    """An agreement of a few duties, powers, exceptions, a liberty and a value, with what is on record."""
    duties: list[str] = []
    powers: list[str] = []
    body: list[dict[str, Any]] = []
    every = ["d1", "d2", "d3", "w1", "w2"]
    for name in draw(st.permutations(every)):
        if name.startswith("d"):
            body.append(_duty(draw, name, duties, powers))
            duties.append(name)
        else:
            body.append(_power(draw, name, every, duties, powers))
            powers.append(name)
    text = conditions(duties, powers)
    events = conditions([], [])
    body.append({"id": "e1", "kind": "exception", "to": [f"@{draw(st.sampled_from(duties))}", "@v"], "when": draw(events)})
    body.append({"id": "e2", "kind": "exception", "to": ["@e1"], "when": draw(events)})
    body.append({"id": "e3", "kind": "exception", "to": ["@v"], "when": draw(text), "cases": [{"is": draw(st.integers(1, 2))}]})
    cases = [{"when": draw(text), "is": draw(st.sampled_from([1, 2, "high"]))} for _ in range(draw(st.integers(1, 3)))]
    body.append({"id": "v", "kind": "definition", "cases": cases})
    must = {"must_use": {"by": "B", "states": ["full"]}} if draw(st.booleans()) else {}
    states = ["full", "light"] if draw(st.booleans()) else ["light"]
    body.append({"id": "l", "kind": "liberty", "holder": "B", "while": draw(text), "measure": "patrol", "states": states, **must})
    body.append({"id": "s", "kind": "definition", "holds_when": draw(text)})
    facts = []
    names = [*ATOMS, *(f"u{w}(x)" for w in powers), *(f"used(@{w})" for w in powers)]
    names += ["waived(@d1)", "released(@d2)", "assigned(@d3, to=B)", "delegated(@d1, to=A)"]
    for _ in range(draw(st.integers(4, 12))):
        start, end = sorted(draw(st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS))))
        fact: dict[str, Any] = {"atom": draw(st.sampled_from(names)), "from": start, "recorded_by": ["R1"]}
        if draw(st.booleans()) and end > start:
            fact["until"] = end
        if draw(st.integers(0, 3)) == 0:
            fact["value"] = False
        facts.append(fact)
    changes: list[dict[str, Any]] = []
    for n in range(1, draw(st.integers(0, 3)) + 1):
        op = draw(st.sampled_from(["suspend", "resume", "repeal", "postpone"]))
        change: dict[str, Any] = {"in": "later", "n": n, "made": draw(st.sampled_from(DAYS)), "recorded_by": ["R1"], "op": op}
        change["target"] = f"@{draw(st.sampled_from(every))}"
        if op == "postpone":
            change["value"] = draw(st.sampled_from(DAYS))
        if draw(st.integers(0, 3)) == 0 and op != "postpone":
            change["effective"] = {"when": draw(st.sampled_from(ATOMS))}
        changes.append(change)
    provisions = [json.dumps(one) for one in body]
    states_ = [{"atom": "p(?q)", "when": "a(?q) or b(?q)"}]
    parts = [("provisions", provisions), ("facts", [json.dumps(f) for f in facts]), ("changes", [json.dumps(c) for c in changes])]
    parts.append(("states", [json.dumps(one) for one in states_]))
    return "\n".join(f"{key}:\n" + "\n".join(f"  - {line}" for line in lines) for key, lines in parts if lines) + "\n"


def made(body: str) -> tuple[Case, Books]:
    """The case and its books; what waits for itself is refused by the agreement check, and drawn again."""
    try:
        case = make(body, *ROWS)
    except AssertionError as error:
        if "wait for each other" not in str(error):
            raise
        reject()
    return case, books_of(body, *ROWS)


def pairs(inquiry: Inquiry, world: World) -> list[tuple[str, object, object]]:
    """What the engine and the checker say of every provision."""
    out: list[tuple[str, object, object]] = []
    for p in inquiry.in_force.provisions.values():
        mine = world.provisions.get(p.id)
        assert mine is not None
        if isinstance(p, Duty):
            a, b = commitment(inquiry, p), life(world, mine)
            theirs = (a.status, a.state, a.due, a.missed, a.done_since, a.withheld_by, a.roles.by, a.roles.to, a.roles.performer)
            times = [world.show(at) if at is not None else "" for at in (b.missed, b.done_since)]
            who = (b.roles.by, b.roles.to, b.roles.performer)
            out.append((p.id, theirs, (b.status, b.state, b.due.text, *times, f"@{b.exception}" if b.exception else "", *who)))
        else:
            out.append((p.id, standing_of(inquiry, p).status, standing(world, mine)))
        if isinstance(p, Definition) and p.cases:
            out.append((p.id, inquiry.value(f"@{p.id}", inquiry.on)[0], world.has_value(f"@{p.id}", world.on)))
    return out


SLOWLY = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
FEW = settings(max_examples=5, derandomize=True, deadline=None, suppress_health_check=SLOWLY)
MANY = settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=SLOWLY)


def compared(body: str, on: str) -> None:
    """The lives are those of the engine, and what is told of each is accepted."""
    case, books = made(body)
    inquiry = desk.ask(case, on)
    world = World(File(books, inquiry.question.known), inquiry.question.on, "plain")
    for name, theirs, own in pairs(inquiry, world):
        assert own == theirs, name
    for p in inquiry.in_force.provisions.values():
        if inquiry.enacted(p):
            answer = desk.why(desk.ask(case, on), f"@{p.id}")
            trees = [tree.as_json() for tree in answer.trees]
            told = json.loads(json.dumps({"name": answer.name, "words": answer.head, "because": trees}))
            assert [str(c) for c in check(told, books)] == [], p.id


@FEW
@given(agreements(), st.sampled_from(ASKED))
def test_lives_are_those_of_the_engine_and_accepted(body: str, on: str) -> None:
    compared(body, on)


@pytest.mark.slow
@MANY
@given(agreements(), st.sampled_from(ASKED))
def test_many_lives_are_those_of_the_engine_and_accepted(body: str, on: str) -> None:
    compared(body, on)
