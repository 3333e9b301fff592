"""Reports on Slack: posted where moderators chose, decided by button, the owner told."""

from __future__ import annotations

from collections.abc import Callable

from tests.platforms.slack import blocks as rules
from tests.platforms.slack.conftest import ADMIN, PLUS_GROUP, TEAM, SlackStack
from tests.platforms.slack.member import labels, read
from tests.platforms.slack.scenario import pictures_of, wait_for_ephemeral
from tests.platforms.slack.world import Message, View


def test_report_is_posted_decided_and_its_owner_told(slack_stack: SlackStack) -> None:
    slack, admin = slack_stack.slack, slack_stack.person(ADMIN)
    owner = slack_stack.new_member("owner", groups=(PLUS_GROUP,))
    reporter = slack_stack.new_member("reporter")
    channel, moderators = slack_stack.channel("reported"), slack_stack.channel("mods")
    admin.command("/atelier", f"studio settings reports_channel=<#{moderators}|mods>", channel)
    wait_for_ephemeral(slack_stack, admin, "reports_channel")
    root = owner.mention(channel, "a rude house")
    picture = pictures_of(slack_stack, owner, channel, root, 1, 1)

    reporter.press(picture, "Report")
    view = slack.until("the report's form", lambda: _modal(reporter.modal, "Report"))
    reporter.submit(view, {"words": "it is <!channel> *rude*"})
    wait_for_ephemeral(slack_stack, reporter, "moderators of this server can see")

    def posted() -> Message | None:
        found = slack.workspaces[TEAM].channels[moderators].messages.values()
        return next((message for message in found if message.bot), None)

    report = slack.until("the report in the moderators' channel", posted)
    text = read(report.text, report.blocks)
    assert "a rude house" in text
    assert "it is <!channel> *rude*" in text
    assert rules.pings(report.text, report.blocks) == []
    assert labels(report) == ["Keep", "Remove", "Remove and block", "Show picture"]
    reporter.press(report, "Remove")
    wait_for_ephemeral(slack_stack, reporter, "Only moderators")

    admin.press(report, "Remove")
    slack.until("the decision", lambda: labels(report) == [] or None)
    assert "is removed" in read(report.text, report.blocks)
    direct = slack.workspaces[TEAM].dm(owner.user)

    def told() -> bool | None:
        texts = [read(m.text, m.blocks) for m in direct.messages.values()]
        return any("removed your picture" in one for one in texts) or None

    slack.until("a notice to the owner", told)
    slack.until("the picture's message is cleared", lambda: owner.pictures(picture) == [] or None)
    admin.command("/atelier", "studio audit", channel)
    wait_for_ephemeral(slack_stack, admin, "report-removed")
    admin.command("/atelier", "studio settings reports_channel=", channel)


def _modal(find: Callable[[str], View], title: str) -> View | None:
    """The open modal with this title, or None."""
    try:
        return find(title)
    except AssertionError:
        return None
