"""An S3 store that fails: pictures wait for it, and no job is rendered again or lost."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import fsspec
import pytest
from PIL import Image

from tasks.jobs.states import JobState
from tasks.runtime.blobs import Blobs, BlobStoreUnavailable, StoreMarker
from tasks.store import storage_pairing
from tests.integration.s3_server import PAGE, S3, serving_s3
from tests.integration.stack import PATIENCE, Deployment, member, order, request

URL = "s3://atelier/studio"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """A loopback S3, also for child processes."""
    fsspec.get_filesystem_class("s3").clear_instance_cache()  # it remembers the last server
    with serving_s3() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield server


def test_blobs_work_on_s3(s3: S3) -> None:
    blobs = Blobs(URL)
    assert blobs.is_empty()
    assert blobs.read_marker() is None
    names = {f"pictures/{number}/a.png" for number in range(PAGE * 2 + 1)}
    for name in names:
        blobs.put(name, name.encode())
    assert blobs.get("pictures/1/a.png") == b"pictures/1/a.png"
    pages = list(blobs.pages_older_than("pictures", datetime.now(UTC), 4))
    assert [len(page) for page in pages] == [4, 3]
    assert {name for page in pages for name in page} == names
    assert s3.listings >= 3  # read in pages, not whole
    assert not blobs.is_empty()
    blobs.delete("pictures/1/a.png")
    assert not blobs.exists("pictures/1/a.png")
    with pytest.raises(FileNotFoundError):
        blobs.get("pictures/1/a.png")


def test_outage_raises_one_error_for_every_method(s3: S3) -> None:
    blobs = Blobs(URL)
    s3.down.set()
    calls: list[Callable[[], object]] = [
        lambda: blobs.put("pictures/a", b""),
        lambda: blobs.get("pictures/a"),
        lambda: blobs.delete("pictures/a"),
        lambda: blobs.exists("pictures/a"),
        blobs.is_empty,
        blobs.read_marker,
        lambda: list(blobs.pages_older_than("pictures", datetime.now(UTC), 10)),
    ]
    for call in calls:
        with pytest.raises(BlobStoreUnavailable):
            call()


def test_missing_bucket_is_an_outage_and_no_empty_store(s3: S3) -> None:
    blobs = Blobs(URL)
    s3.without_bucket.set()
    calls: list[Callable[[], object]] = [
        lambda: blobs.put("pictures/a", b""),
        blobs.is_empty,
        lambda: list(blobs.pages_older_than("pictures", datetime.now(UTC), 10)),
    ]
    for call in calls:
        with pytest.raises(BlobStoreUnavailable):
            call()


def test_finished_picture_waits_for_the_blob_store(deployment: Deployment, s3: S3) -> None:
    deployment.blobs_url = URL
    deployment.start_clock()
    deployment.start_worker()
    first = deployment.submit(order())
    deployment.wait_ended(first.id)
    s3.down.set()
    jobs = [deployment.submit(order(member(f"m{n}"))) for n in range(2)]
    deployment.wait(lambda: s3.refused.count("PUT") >= 30, "several failed attempts to store")
    assert {deployment.job(job.id).state for job in jobs} == {JobState.RUNNING}
    s3.down.clear()
    ended = deployment.wait_ended(*(job.id for job in jobs))
    assert [(job.state, job.attempt) for job in ended] == [(JobState.DONE, 1)] * 2
    assert all(deployment.blobs.exists(job.pictures[0].blob) for job in ended)
    deployment.assert_consistent()


def test_upload_is_read_once_the_blob_store_is_back(deployment: Deployment, s3: S3) -> None:
    deployment.blobs_url = URL
    storage_pairing.check(deployment.database, deployment.blobs)
    deployment.blobs.put("sources/a", small_picture())
    deployment.start_clock()
    deployment.start_worker()
    deployment.wait_ended(deployment.submit(order()).id)
    s3.down.set()
    job = deployment.submit(order(request=request(sources=("sources/a",), operation="vary")))
    deployment.wait(lambda: len(s3.refused) >= 6, "several failed reads")
    s3.down.clear()
    ended = deployment.wait_ended(job.id)[0]
    assert (ended.state, ended.attempt) == (JobState.DONE, 1)


def small_picture() -> bytes:
    """A small PNG."""
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("reads", [False, True])
def test_worker_shuts_down_while_it_waits_for_the_blob_store(
    deployment: Deployment, s3: S3, reads: bool
) -> None:
    deployment.blobs_url = URL
    storage_pairing.check(deployment.database, deployment.blobs)
    deployment.blobs.put("sources/a", small_picture())
    asked = request(sources=("sources/a",), operation="vary") if reads else request()
    deployment.environment["ATELIER_DRAIN_SECONDS"] = "1"
    deployment.start_clock()
    worker = deployment.start_worker()
    deployment.wait_ended(deployment.submit(order()).id)
    s3.down.set()
    job = deployment.submit(order(request=asked))
    deployment.wait(lambda: "blob-store-unreachable" in deployment.log(), "the worker waits")
    worker.terminate()
    assert worker.wait(PATIENCE) == 0
    deployment.wait_state(job.id, JobState.QUEUED)
    s3.down.clear()
    deployment.start_worker()
    assert deployment.wait_ended(job.id)[0].state is JobState.DONE
    deployment.assert_consistent()


def test_marker_is_kept_in_the_bucket(deployment: Deployment, s3: S3) -> None:
    deployment.blobs_url = URL
    ours = storage_pairing.check(deployment.database, deployment.blobs)
    assert deployment.blobs.read_marker() == StoreMarker(ours.id, 0)
    assert "atelier/studio/installation.json" in s3.objects
