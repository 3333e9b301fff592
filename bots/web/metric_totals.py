"""Counters and histograms of `/metrics`. They come from the database and outlive every process."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from tasks.client import Measure, Total, cumulative

T = TypeVar("T")

_COUNTERS: Mapping[Measure, tuple[str, str, tuple[str, str]]] = {
    Measure.JOB: ("atelier_jobs", "Jobs that ended, by outcome", ("tier", "outcome")),
    Measure.DELIVERY: ("atelier_deliveries", "Deliveries that ended", ("platform", "outcome")),
    Measure.REFUSAL: ("atelier_refusals", "Orders that were refused", ("tier", "reason")),
}
_HISTOGRAMS: Mapping[Measure, tuple[str, str, str]] = {
    Measure.WAIT: ("atelier_job_wait_seconds", "From the order to its pictures", "tier"),
    Measure.RENDER: ("atelier_render_seconds", "From the lease to the pictures", "tier"),
    Measure.DELIVERY: ("atelier_delivery_seconds", "From the pictures to the post", "platform"),
}


@dataclass(frozen=True, eq=False)  # a registry tells collectors apart by identity
class TotalsCollector(Collector):
    """All totals at one moment."""

    totals: Sequence[Total]

    def collect(self) -> Iterator[Metric]:
        """Yield every counter and histogram with its samples."""
        for measure, (name, what, both) in _COUNTERS.items():
            counter = CounterMetricFamily(name, what, labels=both)
            for labels, found in self._groups(measure, lambda one: (one.subject, one.outcome)):
                counter.add_metric(labels, sum(one.samples for one in found))
            yield counter
        for measure, (name, what, label) in _HISTOGRAMS.items():
            histogram = HistogramMetricFamily(name, what, labels=[label])
            for subject, found in self._groups(measure, lambda one: one.subject):
                buckets = [(_le(bound), count) for bound, count in cumulative(found)]
                histogram.add_metric([subject], buckets, sum(one.seconds for one in found))
            yield histogram

    def _groups(
        self, measure: Measure, key: Callable[[Total], T]
    ) -> Iterator[tuple[T, list[Total]]]:
        groups: dict[T, list[Total]] = {}
        for one in self.totals:
            if one.metric is measure:
                groups.setdefault(key(one), []).append(one)
        yield from groups.items()


def _le(bound: float) -> str:
    """A bucket's bound as Prometheus writes it."""
    return "+Inf" if bound == math.inf else str(bound)
