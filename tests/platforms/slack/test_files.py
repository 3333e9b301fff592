"""Members' files: read from Slack alone, with the token, by no redirect, and never too much."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bots.slack import files
from bots.slack.files import FileUnreadable
from bots.slack.web import Web
from bots.slack.workspaces import Wire
from tests.platforms.slack.conftest import ANNA, TEAM, TOKEN
from tests.platforms.slack.parcels import png
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import JSON, File, Workspace

LIMIT = 10_000


@pytest.fixture
async def web(slack: LoopbackSlack) -> AsyncIterator[Web]:
    wire = Wire(slack.api_url)
    yield wire.web(TOKEN, TEAM)
    await wire.close()


@pytest.fixture
def sent(slack: LoopbackSlack, team: Workspace) -> JSON:
    """A picture of Anna's, as an event tells of it."""
    data = png("red")
    file = File("F000000777", "mine.png", ANNA, len(data), data=data, complete=True)
    team.files[file.id] = file
    return slack.methods.file_json(team, file)


async def test_the_picture_is_read(web: Web, slack: LoopbackSlack, sent: JSON) -> None:
    assert await files.read(web, sent, slack.api_url, LIMIT) == png("red")


async def test_a_file_without_an_address_is_looked_up(
    web: Web, slack: LoopbackSlack, sent: JSON
) -> None:
    seen = {"id": sent["id"], "file_access": "check_file_info"}
    assert await files.read(web, seen, slack.api_url, LIMIT) == png("red")


async def test_reading_ends_at_the_limit(web: Web, slack: LoopbackSlack, sent: JSON) -> None:
    with pytest.raises(FileUnreadable) as told:
        await files.read(web, sent, slack.api_url, len(png("red")) - 1)
    assert told.value.code == "picture-too-large"


async def test_a_sign_in_page_is_no_picture(
    web: Web, slack: LoopbackSlack, team: Workspace, sent: JSON
) -> None:
    assert team.grant is not None
    team.grant.revoked = True  # Slack sends its sign-in page then, by a redirect
    with pytest.raises(FileUnreadable) as told:
        await files.read(web, sent, slack.api_url, LIMIT)
    assert told.value.code == "file-gone"


async def test_a_file_that_is_gone_is_said_to_be(
    web: Web, slack: LoopbackSlack, team: Workspace, sent: JSON
) -> None:
    team.files[sent["id"]].deleted = True
    for seen in (sent, {"id": sent["id"]}):
        with pytest.raises(FileUnreadable) as told:
            await files.read(web, seen, slack.api_url, LIMIT)
        assert told.value.code == "file-gone"


async def test_no_other_address_is_shown_the_token(
    web: Web, slack: LoopbackSlack, sent: JSON
) -> None:
    for address in ("http://169.254.169.254/", "https://files.slack.com/x", "file:///etc/passwd"):
        seen = sent | {"url_private_download": address}
        with pytest.raises(FileUnreadable) as told:
            await files.read(web, seen, slack.api_url, LIMIT)
        assert told.value.code == "file-not-allowed"
