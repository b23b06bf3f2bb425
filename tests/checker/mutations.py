"""Every single change of an explanation: a fact, an id, a word, a number, a quotation, a step dropped, added or moved."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, TypeAlias

Tree: TypeAlias = dict[str, Any]


def steps(tree: Tree, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Tree]]:
    """Every step with the way to it."""
    yield path, tree
    for n, child in enumerate(tree.get("because", ())):
        yield from steps(child, (*path, n))


def at(tree: Tree, path: tuple[int, ...]) -> Tree:
    for n in path:
        tree = tree["because"][n]
    return tree


def changed(value: Any) -> Iterator[tuple[str, Any]]:
    """Other values near a plain value, each with what was done."""
    if isinstance(value, bool):
        yield "turned", not value
    elif isinstance(value, int | float):
        yield "raised", value + 1
        yield "a little off", value * 0.999 if value else 0.001
    elif isinstance(value, str):
        yield "another word", value + "x" if value else "x"
        if len(value) > 1:
            yield "cut", value[:-1]
    elif value is None:
        yield "given", "something"
    elif isinstance(value, list):
        yield "one more", [*value, value[-1] if value else "x"]
        if value:
            yield "one less", value[:-1]
        for n, item in enumerate(value):
            for what, other in changed(item):
                yield f"{n} {what}", [*value[:n], other, *value[n + 1 :]]
    elif isinstance(value, dict):
        yield "one more", {**value, "x": 1}
        for key, item in value.items():
            yield f"without {key}", {k: v for k, v in value.items() if k != key}
            for what, other in changed(item):
                yield f"{key} {what}", {**value, key: other}


def mutations(tree: Tree, other_report: str, other_quote: tuple[str, str]) -> Iterator[tuple[str, Tree]]:
    """(what was done, the tree with that one change), for every step."""
    for path, step in steps(tree):
        for what, other in _of_step(step, other_report, other_quote):
            copied = copy.deepcopy(tree)
            target = at(copied, path)
            target.clear()
            target.update(other)
            yield f"{'.'.join(map(str, path)) or 'root'} {step['rule']}: {what}", copied


def _of_step(step: Tree, other_report: str, other_quote: tuple[str, str]) -> Iterator[tuple[str, Tree]]:
    for key in ("rule", "says", "quote", "instrument", "report", "exhibit"):
        if key in step:
            for what, other in changed(step[key]):
                yield f"{key} {what}", {**step, key: other}
            yield f"without {key}", {k: v for k, v in step.items() if k != key}
    if "report" in step and step["report"] != other_report:
        yield "another report", {**step, "report": other_report}
    if "quote" in step and (step["instrument"], step["quote"]) != other_quote:
        yield "another quotation", {**step, "instrument": other_quote[0], "quote": other_quote[1]}
    for name, value in step.get("facts", {}).items():
        yield f"without fact {name}", {**step, "facts": {k: v for k, v in step["facts"].items() if k != name}}
        for what, other in changed(value):
            yield f"fact {name} {what}", {**step, "facts": {**step["facts"], name: other}}
    yield "a stray fact", {**step, "facts": {**step.get("facts", {}), "stray": 1}}
    below = step.get("because", [])
    for n, child in enumerate(below):
        yield f"child {n} dropped", {**step, "because": [*below[:n], *below[n + 1 :]]}
        yield f"child {n} twice", {**step, "because": [*below[:n], child, *below[n:]]}
        if n and below[n - 1] != child:
            yield f"child {n} moved up", {**step, "because": [*below[: n - 1], child, below[n - 1], *below[n + 1 :]]}
