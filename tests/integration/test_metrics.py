"""Counters and histograms: every outcome is counted once, whichever process folds or reads."""

from __future__ import annotations

from collections import Counter

from tasks.jobs.job import Refused
from tasks.jobs.tiers import Tier
from tasks.store import metrics
from tasks.store.metrics import Measure
from tests.integration.stack import Deployment, member, order, request


def totals(deployment: Deployment) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for one in deployment.database.run(metrics.totals):
        found[one.metric.value, one.subject, one.outcome] += one.samples
    return found


async def test_outcomes_are_counted_once_through_folding_and_a_restart(
    deployment: Deployment,
) -> None:
    deployment.start_clock()
    waits = deployment.submit(order(member("cy")))
    client = deployment.client()
    await client.jobs.cancel(waits.id, member("cy"))
    await client.close()
    worker = deployment.start_worker()
    made = deployment.submit(order(member("ada")))
    deployment.wait_ended(made.id)
    unknown = order(member("bo"), request=request(profile="nothing"))
    assert isinstance(deployment.admission.submit(unknown), Refused)
    expected = {
        ("job", "free", "cancelled"): 1,
        ("job", "free", "done"): 1,
        ("wait", "free", ""): 1,
        ("render", "free", ""): 1,
        ("refusal", "free", "unknown-model"): 1,
    }
    worker.terminate()
    worker.wait()
    deployment.wait(
        lambda: totals(deployment)["delivery", "test", "sent"] >= 1, "the picture is posted"
    )
    found = totals(deployment)
    assert {key: found[key] for key in expected} == expected
    for _ in range(2):
        deployment.database.run(metrics.fold)
    assert totals(deployment) == found


def test_sample_of_an_unfinished_transaction_is_folded_later(deployment: Deployment) -> None:
    with deployment.database.begin() as late:
        metrics.count_refusals(late, [(Tier.FREE, "doors-closed")])
        deployment.database.run(metrics.fold)
        assert totals(deployment)["refusal", "free", "doors-closed"] == 0
    deployment.database.run(metrics.fold)
    assert totals(deployment)["refusal", "free", "doors-closed"] == 1


def test_buckets_are_cumulative_and_end_with_all() -> None:
    found = [
        metrics.Total(Measure.WAIT, "free", "", bucket, samples, 0.0)
        for bucket, samples in ((2.0, 3), (60.0, 2), (float("inf"), 1))
    ]
    buckets = dict(metrics.cumulative(found))
    assert (buckets[1.0], buckets[2.0], buckets[30.0], buckets[60.0]) == (0, 3, 3, 5)
    assert buckets[float("inf")] == 6
