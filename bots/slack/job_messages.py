"""Edits of a job's one message: progress, place in line, result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from bots.core.locales import Localizer
from bots.core.position_updater import MessageGone
from bots.core.reply import Card
from bots.slack import blocks
from bots.slack.transport import CHANNEL_UNAVAILABLE, MESSAGE_GONE, Rejected, Web
from bots.slack.workspaces import Workspaces

MAX_WAIT = 5.0  # seconds an edit waits for its turn in the rate limit


async def edit_message(
    web: Web,
    message: Mapping[str, Any],
    job_card: Card,
    pictures: Sequence[str],
    localize: Localizer,
    **more: Any,
) -> None:
    """Edit a job's message to show a card. Raises SlackError.

    `pictures` are the ids of the Slack files in its blocks; `message` has its `channel` and `ts`;
    `more` are further arguments of `Web.call`.
    """
    await web.call(
        "chat.update",
        **{"max_wait": MAX_WAIT, **more},
        channel=message["channel"],
        ts=message["ts"],
        text=blocks.card_text(job_card),
        blocks=blocks.card_blocks(job_card, pictures, localize),
    )


async def redraw(web: Web, job_card: Card, localize: Localizer, **more: Any) -> None:
    """Edit a job's message to show its card without pictures. Raises SlackError."""
    await edit_message(web, job_card.job.placeholder, job_card, (), localize, **more)


def position_editor(
    workspaces: Workspaces, localizer_for: Callable[[str], Localizer]
) -> Callable[[Card], Awaitable[None]]:
    """A function that edits a place in line, leaving half of the rate to more urgent edits."""

    async def edit(job_card: Card) -> None:
        order = job_card.job.order
        workspace_client = await workspaces.workspace_client(order.place.workspace)
        localize = localizer_for(order.member.locale)
        try:
            await redraw(workspace_client.web, job_card, localize, reserve=0.5, max_wait=1.0)
        except Rejected as rejected:
            if rejected.code in MESSAGE_GONE | CHANNEL_UNAVAILABLE:
                raise MessageGone(rejected.code) from None
            raise

    return edit
