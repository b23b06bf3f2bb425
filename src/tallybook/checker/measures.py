"""Measures: the state each is in, what each provision says of that state, and the standing that follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tallybook.checker.exhibits import expect_exhibits
from tallybook.checker.expected import Expected, Tree, compare
from tallybook.checker.powers import ended, limit_of, starts_of, suspensions
from tallybook.checker.rows import mapping, words
from tallybook.checker.walk import Complaints, Step
from tallybook.checker.world import World
from tallybook.core.time import span

_TOLD = {
    "permitted": "permitted by {}",
    "required": "required by {}",
    "in breach": "{} requires another state and nothing permits this one.",
    "unclear": "whether it is permitted is unclear: {}",
    "not governed": "no provision in force speaks of this state.",
}


@dataclass(frozen=True, slots=True)
class Voice:
    """What a provision says of a state, whether that holds, and whether a power's time for it is over."""

    provision: dict[str, Any]
    says: str
    truth: str
    over: bool = False

    @property
    def name(self) -> str:
        """The id of the provision."""
        return str(self.provision.get("id"))


def voices(world: World, measure: str, state: str) -> Iterator[Voice]:
    """What every provision in force says of the state that a measure is in. Raises CannotTellError."""
    for name in world.provisions.text.entries:
        provision = world.provisions.get(name) or {}
        if provision.get("measure") != measure or world.begun(provision) is None or _is_off(world, name):
            continue
        kind, has_state = provision.get("kind"), state in words(provision.get("states"))
        text = provision.get("while" if kind == "liberty" else "when")
        truth = world.truth(str(text)) if text else "true"
        if kind == "duty" and has_state:
            yield Voice(provision, "owed", truth)
        elif kind == "power" and has_state:
            over = truth == "true" and _is_over(world, provision)
            yield Voice(provision, "permitted", "false" if over else truth, over)
        elif kind == "liberty":
            if has_state:
                yield Voice(provision, "permitted", truth)
            if must := provision.get("must_use"):
                wanted = words(mapping(must).get("states")) or words(provision.get("states"))
                yield Voice(provision, "required" if state in wanted else "in breach", truth)


def _is_off(world: World, name: str) -> bool:
    return ended(world, name) is not None or any(s.holds(world.on) and not s.in_part for s in suspensions(world, name))


def _is_over(world: World, power: dict[str, Any]) -> bool:
    """Whether the time for which a power may be used is over."""
    limit = limit_of(mapping(power.get("effect")).get("at_most"))
    began = starts_of(world, str(power.get("measure")), words(power.get("states"))) if limit else []
    return bool(began) and span(limit).after(began[-1], world.file.tz) < world.on


def standing(found: list[Voice]) -> tuple[str, str]:
    """A duty owed requires; a liberty or power permits; a requirement to keep another state is broken unless permitted."""
    true = [voice for voice in found if voice.truth == "true"]
    bound = [voice.name for voice in true if voice.says == "in breach"]
    true = [voice for voice in true if not (voice.says == "permitted" and voice.name in bound)]
    for says, word in (("owed", "required"), ("permitted", "permitted"), ("required", "required"), ("in breach", "in breach")):
        named = [voice.name for voice in true if voice.says == says]
        if named:
            return word, f"@{named[-1]}"
    unknown = [voice.name for voice in found if voice.truth == "unknown" and voice.says != "in breach"]
    return ("unclear", f"@{unknown[-1]}") if unknown else ("not governed", "")


def check_measure(root: Step, world: World, question: dict[str, Any], out: Complaints) -> None:
    """The tree of a measure. Raises CannotTellError."""
    name = str(root.facts.get("measure"))
    kind = mapping(mapping(world.file.agreement.get("measures")).get(name))
    if not kind:
        out.add(root, "measure", "a measure of the case", name)
        return
    rows = list(reversed(world.facts.states(name, world.on)))
    state = world.facts.state(rows[0], world.on) if rows else None
    spoken = list(voices(world, name, state)) if state is not None and state != "ended" else []
    word, by = standing(spoken) if spoken else ("not governed", "")
    if state == "ended":
        word = "unclear"
    owed = [voice.truth == "true" for voice in spoken if voice.says == "owed"]
    facts = {**question, "measure": name, "state": state, "standing": word, "by_provision": by}
    out.facts(root, {**facts, "owed": any(owed) if owed else None, "waits_for": root.facts.get("waits_for")})
    states = root.children[: len(rows)]
    out.expect(root, "reports", [row.id for row in rows], [child.report for child in states])
    for child, row in zip(states, rows, strict=False):
        out.expect(child, "rule", "state", child.rule)
        out.facts(child, {})
        out.says(child, f"{row.id}: {row.state} from {row.starts.text}, known {row.known.text}: {row.statement}")
        expect_exhibits(child, world.file, row, out)
    for voice, child in zip(spoken, root.children[len(rows) :], strict=False):
        compare(root, [child], [_voice(world, voice)], (voice.name,), out)
    out.expect(root, "steps below", len(rows) + len(spoken), len(root.children))
    title = str(mapping(kind.get("states")).get(str(state)) or str(state).replace("_", " "))
    _says(root, state, title, rows[0].starts.text if rows else "", (word, by, spoken, owed), out)


def _says(
    root: Step, state: str | None, title: str, since: str, stands: tuple[str, str, list[Voice], list[bool]], out: Complaints
) -> None:
    word, by, spoken, owed = stands
    if state is None:
        out.says(root, "no state on record")
        return
    if state == "ended":
        return
    told = f"{title[:1].upper()}{title[1:]} since {since}; {_TOLD[word].format(by)}"
    if word in ("permitted", "required", "unclear"):
        also = [v.name for v in spoken if v.says == "in breach" and v.truth == "true" and f"@{v.name}" != by]
        if also and word == "permitted":
            told += f", which goes before the guidance of @{', @'.join(also)} to keep it up"
        told += "."
    if owed and not any(owed):
        # What it waits for is told in the words of conditions.
        told += " It was not owed: "
        out.expect(root, "says", told, root.says[: len(told)])
    else:
        out.says(root, told)


def _voice(world: World, voice: Voice) -> Expected:
    kind = voice.provision.get("kind")
    text = voice.provision.get("while" if kind == "liberty" else "when")
    facts = {"provision": voice.name, "says": voice.says, "truth": voice.truth, "over": voice.over}
    told = f"@{voice.name}: {voice.says}, {voice.truth}" + (", its time is over." if voice.over else ".")
    return Expected("voice", facts, told, voice.name, [Tree(world, str(text), world.on)] if text else [])
