"""Downloads of members' files: from Slack's hosts only, without redirects, within the limit."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bots.slack import files
from bots.slack.files import FileUnreadable
from bots.slack.transport import Web
from bots.slack.workspaces import Transport
from tests.platforms.slack.conftest import ANNA, TEAM, TOKEN
from tests.platforms.slack.delivery_builders import png
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import JSON, File, Workspace

LIMIT = 10_000


@pytest.fixture
async def web(slack: LoopbackSlack) -> AsyncIterator[Web]:
    transport = Transport(slack.api_url)
    yield transport.web(TOKEN, TEAM)
    await transport.close()


@pytest.fixture
def sent(slack: LoopbackSlack, team: Workspace) -> JSON:
    """A picture Anna sent, as in an event."""
    data = png("red")
    file = File("F000000777", "mine.png", ANNA, len(data), data=data, complete=True)
    team.files[file.id] = file
    return slack.methods.file_json(team, file)


async def test_picture_is_downloaded(web: Web, slack: LoopbackSlack, sent: JSON) -> None:
    assert await files.download(web, sent, slack.api_url, LIMIT) == png("red")


async def test_file_without_a_url_is_looked_up(web: Web, slack: LoopbackSlack, sent: JSON) -> None:
    listed = {"id": sent["id"], "file_access": "check_file_info"}
    assert await files.download(web, listed, slack.api_url, LIMIT) == png("red")


async def test_download_stops_at_the_limit(web: Web, slack: LoopbackSlack, sent: JSON) -> None:
    with pytest.raises(FileUnreadable) as error:
        await files.download(web, sent, slack.api_url, len(png("red")) - 1)
    assert error.value.code == "picture-too-large"


async def test_sign_in_page_is_not_a_picture(
    web: Web, slack: LoopbackSlack, team: Workspace, sent: JSON
) -> None:
    assert team.grant is not None
    team.grant.revoked = True  # Slack then redirects to its sign-in page
    with pytest.raises(FileUnreadable) as error:
        await files.download(web, sent, slack.api_url, LIMIT)
    assert error.value.code == "file-gone"


async def test_deleted_file_is_reported(
    web: Web, slack: LoopbackSlack, team: Workspace, sent: JSON
) -> None:
    team.files[sent["id"]].deleted = True
    for listed in (sent, {"id": sent["id"]}):
        with pytest.raises(FileUnreadable) as error:
            await files.download(web, listed, slack.api_url, LIMIT)
        assert error.value.code == "file-gone"


async def test_token_is_sent_to_no_other_host(web: Web, slack: LoopbackSlack, sent: JSON) -> None:
    for address in ("http://169.254.169.254/", "https://files.slack.com/x", "file:///etc/passwd"):
        listed = sent | {"url_private_download": address}
        with pytest.raises(FileUnreadable) as error:
            await files.download(web, listed, slack.api_url, LIMIT)
        assert error.value.code == "file-not-allowed"
