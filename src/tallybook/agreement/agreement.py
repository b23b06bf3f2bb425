"""The agreement file as a whole."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tallybook.agreement.amendment import Change
from tallybook.agreement.claim import (
    Claim,
    Fact,
    Line,
    MeasureKind,
    StateFact,
    Vocabulary,
    Weighing,
)
from tallybook.agreement.model import Identifier, Names, Strict, When
from tallybook.agreement.provision import AnyProvision, Instrument, Party, Reading, Standard

MOST_CHANGES = 500


class Agreement(Strict):
    """agreement.yaml: parties, instruments, provisions and changes; claims, board lines and measures."""

    agreement: Identifier
    case: Identifier | None = None
    title: str
    time_zone: str
    default_as_of: When
    parties: Annotated[dict[str, Party], Field(min_length=1)]
    standards: dict[str, Standard] = {}
    readings: dict[str, Reading] = {}
    instruments: dict[str, Instrument]
    provisions: list[AnyProvision]
    changes: Annotated[list[Change], Field(max_length=MOST_CHANGES)] = []
    facts: list[Fact] = []
    states: list[StateFact] = []
    vocabulary: Vocabulary
    weighing: Weighing = Weighing()
    measures: dict[str, MeasureKind] = {}
    claims: list[Claim]
    board: Annotated[list[Line], Field(min_length=1)]
    courses: Names = ()

    def claim(self, name: str) -> Claim | None:
        """The claim of that id, if there is one."""
        return next((claim for claim in self.claims if claim.id == name), None)
