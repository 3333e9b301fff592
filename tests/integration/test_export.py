"""Exports of members against the real database and blob store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasks.client import ExportRunning, Unavailable
from tests.exports import exported
from tests.integration.stack import Deployment, member

MEBIBYTE = 1024 * 1024


async def test_large_export_is_cut_into_archives(deployment: Deployment) -> None:
    client, ada = deployment.client(), member("ada")
    uploads = [bytes([number]) * (MEBIBYTE * 3 // 4) for number in range(5)]
    names = [await client.pictures.store_source(data, ada) for data in uploads]
    large = await client.pictures.store_source(b"L" * (3 * MEBIBYTE), ada)
    archives = [archive async for archive in client.exports.archives(ada, MEBIBYTE)]
    assert len(archives) >= 8  # five uploads, and four pieces of one of which the last is small
    assert max(len(archive.data) for archive in archives) <= MEBIBYTE
    files = await exported(client, ada, MEBIBYTE)
    assert [files[name] for name in names] == uploads
    pieces = [files[f"{large}.part{number}-of-4"] for number in range(1, 5)]
    assert b"".join(pieces) == b"L" * (3 * MEBIBYTE)
    await client.close()


async def test_one_export_at_a_time_for_each_member(deployment: Deployment) -> None:
    client, ada, bo = deployment.client(), member("ada"), member("bo")
    await client.pictures.store_source(b"a" * 2 * MEBIBYTE, ada)
    first = client.exports.archives(ada, MEBIBYTE)
    await anext(first)
    assert client.exports.is_running(ada)
    with pytest.raises(ExportRunning):
        await anext(client.exports.stream(ada))
    assert json.loads((await exported(client, bo))["account.json"])["jobs"] == []
    await first.aclose()
    assert not client.exports.is_running(ada)
    assert await exported(client, ada)
    await client.close()


async def test_export_ends_where_the_blob_store_fails(deployment: Deployment) -> None:
    client, ada = deployment.client(), member("ada")
    name = await client.pictures.store_source(b"an upload", ada)
    stored = Path(deployment.home) / "blobs" / name
    stored.unlink()
    stored.mkdir()  # neither absent nor readable
    with pytest.raises(Unavailable):
        await exported(client, ada)
    assert not client.exports.is_running(ada)
    await client.close()


async def test_rows_of_every_kind_are_valid_json(deployment: Deployment) -> None:
    client, ada = deployment.client(), member("ada")
    await client.members.set_preferences(ada, {"aspect": "16:9", "model": 'a "quoted" \u2028 name'})
    account = json.loads((await exported(client, ada))["account.json"])
    assert account["member"][0]["preferences"]["model"] == 'a "quoted" \u2028 name'
    assert set(account) >= {"member", "jobs", "pictures", "ledger", "reports", "waitlist"}
    await client.close()
