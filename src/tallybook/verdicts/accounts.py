"""The account of a claim's quantity, in whichever form the case asks for."""

from __future__ import annotations

from tallybook.agreement.claim import Claim
from tallybook.errors import TallybookError
from tallybook.holdings.engine import ImpossibleError
from tallybook.holdings.model import ModelError
from tallybook.verdicts.finding import find
from tallybook.verdicts.holding import Holding, holding_of, quantities
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.staged import StagedHolding, is_staged, staged_holding

Held = Holding | StagedHolding


def accounts_of(inquiry: Inquiry, name: str | None = None) -> list[Held]:
    """The accounts of an item class, of one claim, or of every claim about a quantity, in the order of the claims.

    Raises TallybookError for an unknown name, where there are too many things to count one by one, and where no state of
    the world gives the counts.
    """
    every = quantities(inquiry, lambda claim: True)
    wanted = [c for c in every if name is None or name == c.id]
    wanted = wanted or [c for c in every if c.quantity and name == c.quantity.item]
    if name is not None and not wanted:
        known = dict.fromkeys([*(c.quantity.item for c in every if c.quantity), *(c.id for c in every)])
        do = f"the items and claims with an account are {', '.join(known)}" if known else "no claim of the case has a `quantity`"
        raise TallybookError(f"no account of {name!r}", do=do)
    return [_account(inquiry, claim) for claim in wanted]


def _account(inquiry: Inquiry, claim: Claim) -> Held:
    try:
        if is_staged(inquiry, claim):
            return staged_holding(inquiry, claim, find(inquiry, claim).weighed)
        return holding_of(inquiry, claim)
    except ImpossibleError as error:
        do = f"look at {', '.join(error.looks)} and at how bearings.csv reads them: one of them must be wrong"
        raise TallybookError(error.what, where=claim.id, do=do) from error
    except ModelError as error:
        raise TallybookError(error.what, where=claim.id, do=error.do) from error
