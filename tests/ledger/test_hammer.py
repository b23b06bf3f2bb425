"""A short run of what benchmarks/hammer.py does for a minute."""

from __future__ import annotations

import pytest

from hammering import hammer
from ledgers import Place


@pytest.mark.slow
def test_no_reader_sees_a_tree_that_does_not_grow_out_of_its_last(durable: Place) -> None:
    durable.make().close()
    found = hammer(durable.address, 3.0, writers=2, readers=4)
    assert found.faults == []
    assert found.size == found.entries > 0
    assert found.proofs > 0
