"""The provisions in force: a pure function of (base, changes, valid time, known time)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from tallybook.agreement.claim import Change
from tallybook.agreement.provision import AnyProvision
from tallybook.core.time import Moment


class ChangeError(ValueError):
    """A change that cannot be applied; the message says why."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Changes of equal rank to one target: none of them is applied."""

    target: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InForce:
    """The provisions as they stand, those repealed, what changed each, and the conflicts found."""

    provisions: Mapping[str, AnyProvision]
    repealed: Mapping[str, str]
    history: Mapping[str, tuple[str, ...]]
    applied: tuple[str, ...]
    conflicts: tuple[Conflict, ...]


@lru_cache(maxsize=1)
def provision_reader() -> TypeAdapter[AnyProvision]:
    """The validator of one provision of any kind."""
    return TypeAdapter(AnyProvision)


def provisions_in_force(
    base: Mapping[str, dict[str, Any]],
    changes: Iterable[Change],
    on: datetime,
    read: Callable[[str], Moment],
    is_known: Callable[[Change], bool],
) -> InForce:
    """Apply the changes known and commenced at `on`, in order of effect, then making, then number.

    `base` maps ids to provisions as read from the file, `read` turns a written time into a Moment, `is_known` says
    whether a change was known. A repeal of a change restores what it had changed from the repeal's own day on.
    Raises ChangeError where a change does not fit its target.
    """
    live = [c for c in changes if is_known(c) and read(c.effective or c.made).last <= on]
    live.sort(key=lambda c: (read(c.effective or c.made).last, read(c.made).last, c.in_, c.n))
    undone: set[str] = set()
    for change in reversed(live):
        if "#" in change.target and change.address not in undone:
            undone.add(change.target.lstrip("@"))
    live = [c for c in live if c.address not in undone]
    conflicts = _conflicts(live, read)
    barred = {address for conflict in conflicts for address in conflict.changes}
    text = {name: copy.deepcopy(dict(raw)) for name, raw in base.items()}
    repealed: dict[str, str] = {}
    history: dict[str, list[str]] = {}
    applied: list[str] = []
    for change in live:
        if change.address in barred:
            continue
        applied.append(change.address)
        if "#" in change.target:
            continue
        _apply(text, repealed, change)
        history.setdefault(_target_id(change.target), []).append(change.address)
    reader = provision_reader()
    provisions = {name: reader.validate_python(raw) for name, raw in text.items()}
    return InForce(provisions, repealed, {k: tuple(v) for k, v in history.items()}, tuple(applied), conflicts)


def _conflicts(changes: Iterable[Change], read: Callable[[str], Moment]) -> tuple[Conflict, ...]:
    ranks: dict[tuple[str, datetime, datetime], list[Change]] = {}
    for change in changes:
        if change.op == "replace":
            at = (change.target, read(change.effective or change.made).last, read(change.made).last)
            ranks.setdefault(at, []).append(change)
    return tuple(
        Conflict(target, tuple(c.address for c in rivals))
        for (target, _, _), rivals in ranks.items()
        if len({repr(c.value) for c in rivals}) > 1
    )


def _target_id(target: str) -> str:
    return target.lstrip("@").split(".")[0]


def _apply(text: dict[str, dict[str, Any]], repealed: dict[str, str], change: Change) -> None:
    name, *path = change.target.lstrip("@").split(".")
    if change.op == "add" and not path:
        if name in text and name not in repealed:
            raise ChangeError(f"{change.address} adds {change.target}, which is there already")
        text[name] = {**_whole(change), "id": name}
        repealed.pop(name, None)
        return
    if name not in text:
        raise ChangeError(f"{change.address} changes {change.target}, which is not there")
    provision = text[name]
    if change.op == "repeal" and not path:
        repealed[name] = change.address
    elif change.op == "replace" and not path:
        text[name] = {**_whole(change), "id": name}
    elif change.op == "interpret":
        _interpret(provision, change, path)
    elif change.op == "insert":
        _insert(_walk(provision, path, change), change)
    else:
        holder = _walk(provision, path[:-1], change)
        _set(holder, path[-1], change)


def _interpret(provision: dict[str, Any], change: Change, path: list[str]) -> None:
    if path:
        raise ChangeError(f"{change.address}: interpret takes a whole provision, not a part of it")
    if change.reading:
        entry = {"reading": change.reading, **_value(change)}
        provision["interpretations"] = [*provision.get("interpretations", []), entry]
        return
    for key, values in _value(change).items():
        provision[key] = [*_listed(provision.get(key, [])), *values]


def _walk(node: Any, path: list[str], change: Change) -> Any:
    for part in path:
        if isinstance(node, dict) and part in node:
            node = node[part]
            continue
        found = next((item for item in node if _is_named(item, part)), None) if isinstance(node, list) else None
        if found is None:
            raise ChangeError(f"{change.address}: nothing is called {part!r} in {change.target}")
        node = found
    return node


def _is_named(item: Any, name: str) -> bool:
    if isinstance(item, dict):
        return name in (item.get("id"), item.get("item"), item.get("reading"))
    return bool(item == name)


def _insert(holder: Any, change: Change) -> None:
    if not isinstance(holder, list):
        raise ChangeError(f"{change.address}: {change.target} is no list, so nothing can be inserted")
    position = len(holder)
    if change.after is not None:
        where = next((n for n, item in enumerate(holder) if _is_named(item, change.after)), None)
        if where is None:
            raise ChangeError(f"{change.address}: nothing is called {change.after!r} in {change.target}")
        position = where + 1
    holder.insert(position, _value(change))


def _set(holder: Any, name: str, change: Change) -> None:
    if isinstance(holder, dict):
        if change.op == "add" and name in holder:
            raise ChangeError(f"{change.address} adds {change.target}, which is there already")
        if change.op in ("replace", "repeal") and name not in holder:
            raise ChangeError(f"{change.address}: nothing is called {name!r} in {change.target}")
        if change.op == "repeal":
            del holder[name]
        else:
            holder[name] = _value(change)
        return
    position = next((n for n, item in enumerate(holder) if _is_named(item, name)), None)
    if position is None or change.op == "add":
        raise ChangeError(f"{change.address}: nothing is called {name!r} in {change.target}")
    if change.op == "repeal":
        del holder[position]
    else:
        holder[position] = _value(change)


def _listed(value: Any) -> list[Any]:
    """A list; where one word may stand for a list of one, that list."""
    return value if isinstance(value, list) else [value]


def _whole(change: Change) -> dict[str, Any]:
    value = _value(change)
    if not isinstance(value, dict):
        raise ChangeError(f"{change.address}: {change.op} of a whole provision takes the provision, not {value!r}")
    return value


def _value(change: Change) -> Any:
    """A value of one's own: what is put into the text may be changed there again."""
    return copy.deepcopy(change.value)
