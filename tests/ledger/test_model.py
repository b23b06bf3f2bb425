"""A ledger against a Python list, whatever is done to it in whatever order, on all three stores."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from ledgers import SIGNER, Clock, MakePlace, draft, ledger
from tallybook.ledger.audit import Signed, audit
from tallybook.ledger.entry import instant_of
from tallybook.ledger.growth import nodes
from tallybook.ledger.ledger import STEPS, Receipt
from tallybook.ledger.signed import open_checkpoint
from tallybook.ledger.store import StoreError
from tallybook.ledger.tilepath import TILE_WIDTH
from tallybook.ledger.tree import EMPTY_ROOT, check_consistency, check_inclusion, consistency_proof, inclusion_proof, root_of

LATER = STEPS.index("committed")


class CutError(Exception):
    """Whatever stops a program in the middle of its work."""


class Model(RuleBasedStateMachine):
    """The list holds what must be there: subject, leaf hash, recorded time, and whether the body is gone."""

    new_place: MakePlace

    def __init__(self) -> None:
        super().__init__()
        self.place = self.new_place()
        self.store = self.place.make()
        self.clock = Clock()
        self.cut_at = ""
        self.book = self._opened()
        self.model: list[dict[str, Any]] = []
        self.known: dict[str, int] = {}
        self.signed: list[Signed] = []

    def _opened(self) -> Any:
        return ledger(self.store, self.clock, self._watch)

    def _watch(self, step: str) -> None:
        if step == self.cut_at:
            raise CutError

    def _keep(self, subjects: list[str], receipts: list[Receipt]) -> None:
        for subject, receipt in zip(subjects, receipts, strict=True):
            if subject in self.known:
                assert not receipt.is_new
                assert receipt.index == self.known[subject]
                continue
            assert receipt.is_new
            assert receipt.index == len(self.model)
            self.known[subject] = receipt.index
            self.model.append({"subject": subject, "hash": receipt.leaf_hash, "at": receipt.recorded_at, "gone": False})

    @rule(numbers=st.lists(st.integers(0, 40), max_size=8))
    def append(self, numbers: list[int]) -> None:
        """Some new, some there already, some twice."""
        subjects = [str(number) for number in numbers]
        self._keep(subjects, self.book.append([draft(subject) for subject in subjects]))

    @rule(count=st.integers(TILE_WIDTH - 40, 2 * TILE_WIDTH))
    def append_many(self, count: int) -> None:
        """So many that tiles fill."""
        subjects = [f"many/{len(self.model)}/{n}" for n in range(count)]
        self._keep(subjects, self.book.append([draft(subject) for subject in subjects]))

    @rule(numbers=st.lists(st.integers(0, 40), min_size=1, max_size=8, unique=True), step=st.sampled_from(STEPS))
    def crash(self, numbers: list[int], step: str) -> None:
        """Cut off at a step, and opened anew: all of it is there, or nothing."""
        self.cut_at = step
        subjects = [str(number) for number in numbers]
        with pytest.raises((CutError, StoreError)):
            self.book.append([draft(subject) for subject in subjects])
        self.cut_at = ""
        self.book = self._opened()
        if STEPS.index(step) >= LATER:
            with self.store.read() as reading:
                for subject in subjects:
                    if subject not in self.known:
                        entry = reading.entry(len(self.model))
                        assert entry is not None
                        assert entry.entry.subject == f"observations/{subject}"
                        receipt = Receipt(entry.seq, entry.leaf_hash, entry.entry.recorded_at, is_new=True)
                        self._keep([subject], [receipt])

    @rule()
    def reopen(self) -> None:
        """As the next day does."""
        self.store.close()
        self.store = self.place.open()
        self.book = self._opened()

    @precondition(lambda self: any(not one["gone"] for one in self.model))
    @rule(data=st.data())
    def destroy(self, data: st.DataObject) -> None:
        """Take a body away; what it was filed as may be filed again, for nobody can tell that it was."""
        index = data.draw(st.sampled_from([n for n, one in enumerate(self.model) if not one["gone"]][:50]))
        receipt = self.book.destroy(index, "tester", f"asked {len(self.model)}")
        assert receipt.index == len(self.model)
        self.model[index]["gone"] = True
        self.known.pop(self.model[index]["subject"], None)
        self.model.append(
            {"subject": f"destruction {receipt.index}", "hash": receipt.leaf_hash, "at": receipt.recorded_at, "gone": False}
        )

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def prove(self, data: st.DataObject) -> None:
        """Between any sizes, against roots made from the list."""
        new = data.draw(st.integers(1, len(self.model)))
        old, index = data.draw(st.integers(1, new)), data.draw(st.integers(0, new - 1))
        hashes = [one["hash"] for one in self.model]
        with self.store.read() as reading:
            node = nodes(reading, new)
            check_inclusion(index, new, hashes[index], inclusion_proof(node, index, new), root_of(hashes[:new]))
            proof = consistency_proof(node, old, new)
            check_consistency(old, new, root_of(hashes[:old]), root_of(hashes[:new]), proof)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def as_of_a_size(self, data: st.DataObject) -> None:
        """The first so many entries are what they were, whatever came after."""
        size = data.draw(st.integers(0, len(self.model)))
        with self.store.read() as reading:
            found = list(reading.entries(0, size))
            assert [entry.leaf_hash for entry in found] == [one["hash"] for one in self.model[:size]]
            assert [entry.body is None for entry in found] == [one["gone"] for one in self.model[:size]]

    @precondition(lambda self: self.model)
    @rule()
    def sign(self) -> None:
        """A checkpoint is of what is there, and of what comes later it is the beginning."""
        note = self.book.checkpoint()
        assert note is not None
        head = open_checkpoint(note.encode(), [SIGNER.verifier]).checkpoint
        assert (head.size, head.root) == (len(self.model), root_of(one["hash"] for one in self.model))
        self.signed.append(Signed(head.size, head.root))

    @rule()
    def audit(self) -> None:
        """Nothing is out of place, and all that was signed holds."""
        with self.store.read() as reading:
            found = audit(reading, self.signed)
        assert found.faults == []
        assert found.root == (root_of(one["hash"] for one in self.model) if self.model else EMPTY_ROOT)
        assert found.destroyed == sum(one["gone"] for one in self.model)

    @invariant()
    def size_and_times(self) -> None:
        """As many as in the list, recorded one after the other."""
        with self.store.read() as reading:
            assert reading.size() == len(self.model)
            if self.model:
                last = reading.entry(len(self.model) - 1)
                assert last is not None
                assert last.leaf_hash == self.model[-1]["hash"]
        times = [instant_of(one["at"]) for one in self.model[-20:]]
        assert times == sorted(set(times))

    def teardown(self) -> None:
        self.store.close()


@pytest.mark.slow
def test_a_ledger_is_a_list(new_place: MakePlace) -> None:
    class Here(Model):
        pass

    Here.new_place = staticmethod(new_place)
    run_state_machine_as_test(
        Here,
        settings=settings(max_examples=60, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)),
    )
