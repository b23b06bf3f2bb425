"""What can go wrong, told as what, where and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault in a case folder.

    `file` is relative to the case, `line` counts from 1 (0 where the fault is of the whole file), `field` names the
    column or key, `what` says what is wrong and `do` what to do about it.
    """

    file: str
    line: int
    field: str
    what: str
    do: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        field = f" [{self.field}]" if self.field else ""
        return f"{place}{field}: {self.what}\n    {self.do}"


class TallybookError(Exception):
    """Unusable arguments or input: says what, where and what to do."""

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.do = do

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}" + (f"\n    {self.do}" if self.do else "")


class CaseFaultsError(TallybookError):
    """A case that cannot be used as it stands, with every fault found."""

    def __init__(self, case: str, faults: Iterable[Fault]) -> None:
        self.faults = sorted(set(faults))
        count = len(self.faults)
        super().__init__(
            f"{count} fault{'s' if count != 1 else ''} in the case",
            where=case,
            do=f"tallybook check {case} lists them all",
        )
