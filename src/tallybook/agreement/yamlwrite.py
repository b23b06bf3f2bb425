"""Plain values to YAML that `read_yaml` reads back as they were: in blocks, every text quoted that could mean something else."""

from __future__ import annotations

import json
import re
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*", re.ASCII)
_WORDS = {"yes", "no", "on", "off", "y", "n", "true", "false", "null", "none"}
_WIDE = 100


def write_yaml(data: Any) -> bytes:
    """A mapping, list, text, whole number, float, truth value or None, as YAML. Raises TypeError for anything else."""
    return ("\n".join(_block(data)) + "\n").encode()


def _block(value: Any) -> list[str]:
    if isinstance(value, dict) and value:
        out = []
        for key, entry in value.items():
            out += _entry(f"{_scalar(str(key))}:", entry)
        return out
    if isinstance(value, list | tuple) and value:
        out = []
        for entry in value:
            inner = _block(entry)
            out += [f"- {inner[0]}", *(f"  {line}" for line in inner[1:])]
        return out
    return [_flow(value)]


def _entry(head: str, value: Any) -> list[str]:
    if not isinstance(value, dict | list | tuple) or not value:
        return [f"{head} {_flow(value)}"]
    short = _flow(value) if not any(isinstance(one, dict | list | tuple) for one in _members(value)) else ""
    if short and len(short) < _WIDE:
        return [f"{head} {short}"]
    return [head, *(f"  {line}" for line in _block(value))]


def _members(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else list(value)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(str(key))}: {_flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(entry) for entry in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        short = repr(value)
        # An exponent without a decimal point would be read as a word.
        return short if "e" not in short else format(value, ".18f").rstrip("0") + ("0" if value.is_integer() else "")
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} has no form in a case's YAML")
    if _PLAIN.fullmatch(value) and value.casefold() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
