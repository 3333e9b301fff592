"""The entry to admission: calls from several threads share one transaction of the pipeline."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from tasks.admission.pipeline import admit
from tasks.jobs.job import Accepted, Order, Refused
from tasks.policy.config import Policy
from tasks.store.batch_executor import BatchExecutor
from tasks.store.database import Database
from tasks.store.load_snapshot import LoadSnapshotCache


@dataclass(slots=True)
class AdmissionService:
    """Admits orders by the operator's policy and by what administrators have set."""

    database: Database
    policy: Policy
    snapshots: LoadSnapshotCache = field(default_factory=LoadSnapshotCache)
    _batches: BatchExecutor[Order, Accepted | Refused] = field(init=False)
    _threads: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._batches = BatchExecutor(partial(admit, self.database, self.policy, self.snapshots))
        self._threads = ThreadPoolExecutor(1, "admission")

    def submit(self, order: Order) -> Accepted | Refused:
        """Admit an order once, however often it is submitted."""
        return self._batches(order)

    def submit_soon(self, order: Order) -> Future[Accepted | Refused]:
        """The same without blocking: orders submitted during a batch form the next one."""
        return self._batches.submit(order, self._threads)

    def close(self) -> None:
        """Take no more orders; a batch in progress is finished."""
        self._threads.shutdown(wait=False)
