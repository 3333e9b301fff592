"""A member at the keyboard: what they do reaches the app, and what they see is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.platforms.slack import blocks as rules
from tests.platforms.slack.api import message_json, view_json
from tests.platforms.slack.deliveries import Line, Taken, event_callback, insist
from tests.platforms.slack.server import APP_ID, Answer, LoopbackSlack
from tests.platforms.slack.world import JSON, File, Message, View, Whisper, Workspace


@dataclass
class Attached:
    """A file a member sends with a message."""

    name: str
    data: bytes


class Person:
    """One member of one workspace. Each call returns once Slack has its acknowledgement."""

    def __init__(self, slack: LoopbackSlack, workspace: Workspace, user: str, line: Line) -> None:
        self.slack = slack
        self.workspace = workspace
        self.user = user
        self.line = line

    # -- what a member does ---------------------------------------------------------

    def mention(
        self, channel: str, words: str, thread: str | None = None, files: Sequence[Attached] = ()
    ) -> str:
        """`@atelier words`, perhaps in a thread and with files; the message's ts."""
        text = f"<@{self.workspace.bot_user}> {words}"
        event = self.write(channel, text, thread, files)
        self.tell(event | {"type": "app_mention"})
        return str(event["ts"])

    def direct(self, words: str, thread: str | None = None, files: Sequence[Attached] = ()) -> str:
        """A direct message to the app; its ts."""
        channel = self.workspace.dm(self.user)
        event = self.write(channel.id, words, thread, files)
        subtype = {"subtype": "file_share"} if files else {}
        self.tell(event | {"type": "message", "channel_type": "im"} | subtype)
        return str(event["ts"])

    def write(
        self, channel: str, text: str, thread: str | None, files: Sequence[Attached] = ()
    ) -> JSON:
        """A message that stands in the channel, as an event tells of it; nothing is delivered."""
        kept = [self._keep(channel, each) for each in files]
        message = Message(self.slack.clock.ts(), channel, self.user, "", thread_ts=thread)
        message.show(text, [])
        message.files = [f.id for f in kept]
        self.workspace.channels[channel].messages[message.ts] = message
        event: JSON = {
            "user": self.user,
            "text": text,
            "ts": message.ts,
            "channel": channel,
            "event_ts": message.ts,
            "team": self.workspace.id,
        }
        if thread:
            event["thread_ts"] = thread
        if kept:
            event["files"] = [self.slack.methods.file_json(self.workspace, f) for f in kept]
        return event

    def tell(self, event: JSON, event_id: str | None = None) -> Taken:
        """Deliver an event, again and again until it is acknowledged."""
        id_ = event_id or self.slack.clock.id("Ev")
        payload = event_callback(self.workspace.id, event, id_)
        return self.slack.run(insist(self.line, payload))

    def command(self, command: str, text: str, channel: str) -> Taken:
        """A slash command."""
        payload: JSON = {
            "command": command,
            "text": text,
            "team_id": self.workspace.id,
            "user_id": self.user,
            "channel_id": channel,
            "channel_name": "general",
            "user_name": self.user.lower(),
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "trigger_id": self.slack.methods.trigger(),
            "response_url": self._answer(channel),
        }
        taken = self.slack.run(self.line.send("slash_commands", payload))
        if taken.answer and taken.answer.get("text"):
            answer = Answer(self.workspace, channel, self.user)
            self.slack.show(answer, taken.answer)
        return taken

    def press(self, message: Message, label: str) -> Taken:
        """Press a button of a message by its label. Raises AssertionError where there is none."""
        button = self._button(rules.buttons(message.blocks), label)
        where: JSON = {
            "container": {
                "type": "message",
                "message_ts": message.ts,
                "channel_id": message.channel,
                "thread_ts": message.thread_ts,
            },
            "channel": {"id": message.channel, "name": "general"},
            "message": message_json(message),
            "response_url": self._answer(message.channel, message),
        }
        return self._act("block_actions", where | {"actions": [self._pressed(button)]})

    def press_whisper(self, whisper: Whisper, label: str) -> Taken:
        """Press a button of a message that this member alone sees."""
        button = self._button(rules.buttons(whisper.blocks), label)
        where: JSON = {
            "container": {
                "type": "message",
                "is_ephemeral": True,
                "channel_id": whisper.channel,
                "message_ts": self.slack.clock.ts(),
            },
            "channel": {"id": whisper.channel, "name": "general"},
            "response_url": self._answer(whisper.channel),
        }
        return self._act("block_actions", where | {"actions": [self._pressed(button)]})

    def press_home(self, label: str) -> Taken:
        """Press a button of this member's Home tab."""
        view = self.workspace.homes[self.user]
        button = self._button(rules.buttons(view.body["blocks"]), label)
        where: JSON = {
            "container": {"type": "view", "view_id": view.id},
            "view": view_json(self.workspace, view),
        }
        return self._act("block_actions", where | {"actions": [self._pressed(button)]})

    def message_shortcut(self, message: Message, callback: str) -> Taken:
        """Choose one of the app's shortcuts in a message's menu."""
        return self._act(
            "message_action",
            {
                "callback_id": callback,
                "channel": {"id": message.channel, "name": "general"},
                "message_ts": message.ts,
                "message": self._with_files(message),
                "action_ts": self.slack.clock.ts(),
                "response_url": self._answer(message.channel, message),
            },
        )

    def shortcut(self, callback: str) -> Taken:
        """Choose a global shortcut."""
        return self._act("shortcut", {"callback_id": callback, "action_ts": self.slack.clock.ts()})

    def submit(self, view: View, values: JSON, response_channel: str | None = None) -> Taken:
        """Submit a modal. `values` gives an input's value by its block id."""
        state: JSON = {}
        for block in view.body["blocks"]:
            if block["type"] == "input":
                given = values.get(block["block_id"])
                element = block["element"]
                state[block["block_id"]] = {element["action_id"]: self._value(element, given)}
        body = view_json(self.workspace, view) | {"state": {"values": state}}
        urls = []
        if response_channel:
            urls = [
                {"channel_id": response_channel, "response_url": self._answer(response_channel)}
            ]
        taken = self._act("view_submission", {"view": body, "response_urls": urls})
        if taken.acked and (taken.answer or {}).get("response_action") != "errors":
            view.closed = True
        return taken

    def open_home(self) -> None:
        """Open the app's Home tab."""
        channel = self.workspace.dm(self.user)
        self.tell(
            {
                "type": "app_home_opened",
                "user": self.user,
                "channel": channel.id,
                "tab": "home",
                "event_ts": self.slack.clock.ts(),
            }
        )

    # -- what a member sees ---------------------------------------------------------

    def answers(self, channel: str, root: str) -> list[Message]:
        """The app's messages in a thread that stand now."""
        thread = self.workspace.thread(channel, root)
        return [m for m in thread if m.bot]

    def whispers(self) -> list[Whisper]:
        """What this member alone was told, oldest first."""
        return [w for w in self.workspace.whispers if w.user == self.user]

    def whispered(self) -> str:
        """All of it as text."""
        return "\n".join(read(w.text, w.blocks) for w in self.whispers())

    def pictures(self, message: Message) -> list[bytes]:
        """The pictures this member can see in a message, in order."""
        channel = self.workspace.channels[message.channel]
        if self.user not in channel.members:
            return []
        ids = [*rules.shown_files(message.blocks), *message.files]
        files = [self.workspace.files[i] for i in ids]
        return [f.data for f in files if message.channel in f.channels and not f.deleted]

    def modal(self, title: str) -> View:
        """The open modal with this title. Raises AssertionError where there is none."""
        for view in reversed(list(self.workspace.modals.values())):
            if not view.closed and view.body["title"]["text"] == title:
                return view
        raise AssertionError(f"no open modal is called {title!r}")

    # -- inside ---------------------------------------------------------

    def _act(self, kind: str, payload: JSON) -> Taken:
        body: JSON = {
            "type": kind,
            "team": {"id": self.workspace.id, "domain": self.workspace.name},
            "user": {"id": self.user, "name": self.user.lower(), "team_id": self.workspace.id},
            "api_app_id": APP_ID,
            "trigger_id": self.slack.methods.trigger(),
            **payload,
        }
        return self.slack.run(self.line.send("interactive", body))

    def _pressed(self, button: JSON) -> JSON:
        return {**button, "action_ts": self.slack.clock.ts(), "block_id": "actions"}

    def _answer(self, channel: str, message: Message | None = None) -> str:
        name = self.slack.clock.id("R")
        self.slack.answers[name] = Answer(self.workspace, channel, self.user, message)
        return f"{self.slack.origin}/response/{name}"

    def _keep(self, channel: str, attached: Attached) -> File:
        file = File(
            self.slack.clock.id("F"),
            attached.name,
            self.user,
            len(attached.data),
            data=attached.data,
            complete=True,
        )
        file.channels.add(channel)
        self.workspace.files[file.id] = file
        return file

    def _with_files(self, message: Message) -> JSON:
        files = [self.workspace.files[i] for i in message.files]
        shown = [self.slack.methods.file_json(self.workspace, f) for f in files]
        return message_json(message) | ({"files": shown} if shown else {})

    def _value(self, element: JSON, given: object) -> JSON:
        kind = element["type"]
        if kind == "static_select":
            options = {o["value"]: o for o in element["options"]}
            chosen = options[str(given)] if given is not None else element.get("initial_option")
            return {"type": kind, "selected_option": chosen}
        if kind == "conversations_select":
            return {"type": kind, "selected_conversation": given}
        if kind == "file_input":
            sent = [given] if isinstance(given, Attached) else []
            files = [self._keep(self.workspace.dm(self.user).id, f) for f in sent]
            shown = [self.slack.methods.file_json(self.workspace, f) for f in files]
            return {"type": kind, "files": shown}
        return {"type": kind, "value": given if given is not None else element.get("initial_value")}

    @staticmethod
    def _button(found: list[JSON], label: str) -> JSON:
        for button in found:
            if button["text"]["text"] == label:
                return button
        labels = [b["text"]["text"] for b in found]
        raise AssertionError(f"there is no button {label!r}, only {labels}")


def read(text: str, blocks: list[JSON]) -> str:
    """What a member reads: the blocks where there are any, else the text."""
    return rules.words(blocks) if blocks else rules.unescape(text)


def labels(message: Message) -> list[str]:
    """The labels of a message's buttons."""
    return [b["text"]["text"] for b in rules.buttons(message.blocks)]
