"""The ledger equals a sum by hand after every event, in many seeded examples with crashes."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.integration.faults import FaultyDatabase
from tests.integration.ledger_driver import LedgerDriver

EVENTS = 80


def run_examples(url: str, first: int, count: int) -> Counter[str]:
    """Run so many examples; what happened in all of them."""
    database = FaultyDatabase(url)
    total: Counter[str] = Counter()
    try:
        for seed in range(first, first + count):
            driver = LedgerDriver(database, seed)
            try:
                driver.run(EVENTS)
            except AssertionError as error:
                error.add_note(f"seed {seed}, after {dict(driver.counts)}")
                raise
            finally:
                driver.admission.close()
            total += driver.counts
    finally:
        database.close()
    print(f"{count} examples: {dict(total)}")
    return total


def assert_enough(total: Counter[str], examples: int) -> None:
    """So many per example, on average, that 200 have 1,000 captures, 500 voids and 200 crashes."""
    assert total["capture"] >= 5 * examples
    assert total["void"] >= 2.5 * examples
    assert total["crash between statements"] >= examples
    assert total["crash"] >= 5 * examples
    assert total["repeat"] >= 2 * examples


@pytest.mark.timeout(280)
def test_ledger_equals_the_sum_by_hand(database_url: str) -> None:
    assert_enough(run_examples(database_url, first=0, count=10), 10)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_ledger_equals_the_sum_by_hand_in_200_examples(database_url: str) -> None:
    total = run_examples(database_url, first=1000, count=200)
    assert_enough(total, 200)
