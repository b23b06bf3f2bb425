"""What lint finds in an agreement, and the list of its rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
ORDER: tuple[Severity, ...] = ("error", "warning", "note")

RULES: dict[str, str] = {
    "dangling-reference": "points to what is repealed, ended, renumbered, not there yet, or in an instrument never made",
    "conflict": "changes, readings or exceptions of equal rank say different things",
    "misfit": "a change does not fit the text that it meets once what it waits for has come",
    "unreachable": "something that can never hold, be owed, be done in time, or take effect",
    "undefined-term": "every, some, count, value or covers over what is no definition, or lists nothing",
    "vague-without-ruling": "a vague word, and no change carries a ruling on its provision",
    "cycle": "statuses, changes or powers that wait for each other",
    "duty-without-proof": "a duty that nothing could show, proof without methods or standard, a method that no report could meet",
    "use-unrecorded": "a power whose use nothing on record could show",
    "power-not-held": "a power was used while it was not held: the use has no effect",
    "deadline-in-suspension": "a date passed while its duty was suspended: a new one is needed",
    "unmatched-event": "an event or state on record that no condition asks for",
    "unused-reading": "a reading under which nothing is read",
    "uncited-instrument": "an instrument that nothing cites",
    "no-words": "a provision without words of any instrument in hand",
    "restate": "a restatement that changes a verdict, the life of a duty or the standing of a measure",
}
"""Every rule, and what it finds."""


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One finding: its rule and severity, where (file, line from 1, address), what is wrong and what to do."""

    rule: str
    severity: Severity
    file: str
    line: int
    address: str
    what: str
    do: str

    def as_dict(self) -> dict[str, str | int]:
        """The finding as JSON."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "file": self.file,
            "line": self.line,
            "address": self.address,
            "what": self.what,
            "do": self.do,
        }

    def __str__(self) -> str:
        return f"{self.file}:{self.line} [{self.address}] {self.rule}: {self.what}\n    {self.do}"
