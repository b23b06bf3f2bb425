"""YAML 1.2 text to plain values, with the line of every one, and nothing that could mean two things.

Composed by ruamel.yaml, resolved here: keys are always text, no alias, anchor or tag, no key twice, no bare
yes/no/on/off (a word in YAML 1.2, a boolean in 1.1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isinf
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tallybook.core.plaintext import NotPlainTextError, plain_text, unseen
from tallybook.errors import Fault

Path: TypeAlias = tuple[str | int, ...]

LARGEST = 4_000_000
DEEPEST = 60
MARKING = "marking"
"""The key, and in a table the column, that says who may read an entry. It says nothing about the case."""
_INT = re.compile(r"[-+]?(0|[1-9]\d{0,17})", re.ASCII)
_FLOAT = re.compile(r"[-+]?\d{1,18}\.\d{1,18}([eE][-+]?\d{1,3})?", re.ASCII)
_BARE = {"yes", "no", "on", "off", "y", "n"}


@dataclass(slots=True)
class Document:
    """A YAML text as plain values (`data`), the line of every path in it, and the faults found on the way."""

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        """The line of a path, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(raw: bytes, file: str) -> Document:
    """Read one YAML document. Every fault is in the result; its `data` is None where the text can't be read at all."""
    out = Document()
    text = decoded(raw, file, out.faults)
    if text is None:
        return out
    if len(text) > LARGEST:
        out.faults.append(Fault(file, 0, "", f"larger than {LARGEST:,} characters", "split the case, or shorten it"))
        return out
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    try:
        events = _events(reader, text, file, out)
        if events is None:
            return out
        root = _composed(events)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        out.faults.append(Fault(file, line, "", f"not YAML: {problem}", "mend the text at this line"))
        return out
    except RecursionError:
        out.faults.append(Fault(file, 0, "", "nested too deeply", f"keep to {DEEPEST} levels"))
        return out
    if root is None:
        out.faults.append(Fault(file, 0, "", "empty", "write the file; `tallybook new` shows how one looks"))
        return out
    out.data = _value(root, (), file, out)
    return out


def without_markings(data: Any) -> Any:
    """The groups of entries of a file, without the markings of the entries."""
    return {key: _bare_group(group) for key, group in data.items()} if isinstance(data, dict) else data


def _bare_group(group: Any) -> Any:
    if isinstance(group, dict):
        return {key: _bare_entry(entry) for key, entry in group.items()}
    return [_bare_entry(entry) for entry in group] if isinstance(group, list) else group


def _bare_entry(entry: Any) -> Any:
    if isinstance(entry, dict) and isinstance(entry.get(MARKING), str):
        return {key: value for key, value in entry.items() if key != MARKING}
    return entry


def decoded(raw: bytes, file: str, faults: list[Fault]) -> str | None:
    """Plain text, or None with the fault noted."""
    try:
        return plain_text(raw)
    except NotPlainTextError as error:
        faults.append(Fault(file, error.line, "", error.what, error.do))
        return None


class _Replay:
    """Events that were read once, as ruamel's composer asks a parser for them."""

    def __init__(self, events: Sequence[Any]) -> None:
        self._events, self._next = events, 0

    def check_event(self, *kinds: type) -> bool:
        if self._next >= len(self._events):
            return False
        return not kinds or isinstance(self._events[self._next], kinds)

    def peek_event(self) -> Any:
        return self._events[self._next]

    def get_event(self) -> Any:
        self._next += 1
        return self._events[self._next - 1]


def _composed(events: Sequence[Any]) -> Node | None:
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    # Scanning takes most of the time, so the events are not read from the text a second time.
    reader._parser = _Replay(events)  # noqa: SLF001
    root: Node | None = reader.composer.get_single_node()
    return root


def _events(reader: YAML, text: str, file: str, out: Document) -> list[Any] | None:
    """The events of a text that is nothing but data, or None with the fault noted."""
    depth = 0
    found: list[Any] = []
    for event in reader.parse(text):
        found.append(event)
        line = event.start_mark.line + 1
        if isinstance(event, AliasEvent):
            out.faults.append(Fault(file, line, "", f"alias *{event.anchor}", "write the value out; aliases are refused"))
            return None
        if getattr(event, "anchor", None):
            out.faults.append(Fault(file, line, "", f"anchor &{event.anchor}", "remove it; anchors are refused"))
            return None
        if getattr(event, "tag", None):
            out.faults.append(Fault(file, line, "", f"tag {event.tag}", "remove it; tags are refused"))
            return None
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        if depth > DEEPEST:
            out.faults.append(Fault(file, line, "", "nested too deeply", f"keep to {DEEPEST} levels"))
            return None
    return found


def _value(node: Node, path: Path, file: str, out: Document) -> Any:
    line = node.start_mark.line + 1
    out.lines.setdefault(path, line)
    name = ".".join(str(part) for part in path)
    if isinstance(node, MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else ""
            at = key_node.start_mark.line + 1
            if bad := unseen(key):
                out.faults.append(Fault(file, at, name, bad, "write plain characters"))
                continue
            if not key:
                out.faults.append(Fault(file, at, name, "a key that is not text", "write a plain word as the key"))
                continue
            if key in result:
                first = out.lines[(*path, key)]
                out.faults.append(
                    Fault(file, at, f"{name}.{key}".lstrip("."), f"key {key!r} twice (first on line {first})", "keep one")
                )
                continue
            out.lines[(*path, key)] = at
            result[key] = _value(value_node, (*path, key), file, out)
        return result
    if isinstance(node, SequenceNode):
        return [_value(child, (*path, n), file, out) for n, child in enumerate(node.value)]
    if not isinstance(node, ScalarNode):
        return None
    return _scalar(node, line, name, file, out)


def _scalar(node: ScalarNode, line: int, name: str, file: str, out: Document) -> Any:
    text = str(node.value)
    if bad := unseen(text):
        out.faults.append(Fault(file, line, name, bad, "write plain characters"))
        return ""
    if node.style is not None:
        return text
    if text.lower() in _BARE:
        do = f'write true or false, or quote it: "{text}"'
        out.faults.append(Fault(file, line, name, f"bare {text!r} means two things in YAML", do))
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if isinf(number):
            out.faults.append(Fault(file, line, name, f"{text} is beyond any number", "write a number that can be"))
        return number
    return text
