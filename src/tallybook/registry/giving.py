"""What was given out, to whom, when: an answer that left the desk can be held against the books from which it was made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from tallybook.core.canonical import canonical
from tallybook.ledger.entry import Draft, canonical_json, instant_text
from tallybook.ledger.ledger import Ledger, Receipt
from tallybook.registry.place import now

VERDICT = "verdict"


def give_out(ledger: Ledger, answer: Mapping[str, Any], to: str, author: str) -> Receipt:
    """Record that a board, as JSON, was given to somebody: its question, words and hash; the rest can be made again."""
    at = instant_text(now())
    body = {
        "to": to,
        "at": at,
        **{name: str(answer[name]) for name in ("on", "known", "reader", "reading")},
        "lines": {str(line["id"]): str(line["verdict"] or line.get("state") or "") for line in answer["lines"]},
        "sha256_of_answer": hashlib.sha256(canonical(answer)).hexdigest(),
        "made_from": (answer["receipt"].get("checkpoint") or {}).get("size"),
    }
    subject = f"given-out/{at}/{to}"[:300]
    return ledger.append([Draft(VERDICT, subject, canonical_json(body), author, at)])[0]
