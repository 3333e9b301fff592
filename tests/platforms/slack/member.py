"""A Slack member: their actions reach the app, and tests read what they see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.platforms.slack import blocks as rules
from tests.platforms.slack.api import message_json, view_json
from tests.platforms.slack.deliveries import Ack, Sender, deliver_with_retries, event_callback
from tests.platforms.slack.server import APP_ID, Answer, LoopbackSlack
from tests.platforms.slack.world import JSON, EphemeralMessage, File, Message, View, Workspace


@dataclass
class Attached:
    """A file a member sends with a message."""

    name: str
    data: bytes


class Person:
    """One member of one workspace. Each call returns once Slack has its acknowledgement."""

    def __init__(
        self, slack: LoopbackSlack, workspace: Workspace, user: str, sender: Sender
    ) -> None:
        self.slack = slack
        self.workspace = workspace
        self.user = user
        self.sender = sender

    # -- actions ---------------------------------------------------------

    def mention(
        self, channel: str, words: str, thread: str | None = None, files: Sequence[Attached] = ()
    ) -> str:
        """Mention the app, optionally in a thread and with files; the message's ts."""
        text = f"<@{self.workspace.bot_user}> {words}"
        event = self.write(channel, text, thread, files)
        self.send_event(event | {"type": "app_mention"})
        return str(event["ts"])

    def direct(self, words: str, thread: str | None = None, files: Sequence[Attached] = ()) -> str:
        """Send the app a direct message; its ts."""
        channel = self.workspace.dm(self.user)
        event = self.write(channel.id, words, thread, files)
        subtype = {"subtype": "file_share"} if files else {}
        self.send_event(event | {"type": "message", "channel_type": "im"} | subtype)
        return str(event["ts"])

    def write(
        self, channel: str, text: str, thread: str | None, files: Sequence[Attached] = ()
    ) -> JSON:
        """Write a message in the channel; the event about it, which is not delivered."""
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

    def send_event(self, event: JSON, event_id: str | None = None) -> Ack:
        """Deliver an event until it is acknowledged."""
        id_ = event_id or self.slack.clock.id("Ev")
        payload = event_callback(self.workspace.id, event, id_)
        return self.slack.run(deliver_with_retries(self.sender, payload))

    def command(self, command: str, text: str, channel: str) -> Ack:
        """Send a slash command."""
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
        ack = self.slack.run(self.sender.send("slash_commands", payload))
        if ack.answer and ack.answer.get("text"):
            answer = Answer(self.workspace, channel, self.user)
            self.slack.show(answer, ack.answer)
        return ack

    def press(self, message: Message, label: str) -> Ack:
        """Press a button of a message by its label. Raises AssertionError where there is none."""
        button = self._button(rules.buttons(message.blocks), label)
        context: JSON = {
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
        return self._act("block_actions", context | {"actions": [self._pressed(button)]})

    def press_ephemeral(self, message: EphemeralMessage, label: str) -> Ack:
        """Press a button of an ephemeral message."""
        button = self._button(rules.buttons(message.blocks), label)
        context: JSON = {
            "container": {
                "type": "message",
                "is_ephemeral": True,
                "channel_id": message.channel,
                "message_ts": self.slack.clock.ts(),
            },
            "channel": {"id": message.channel, "name": "general"},
            "response_url": self._answer(message.channel),
        }
        return self._act("block_actions", context | {"actions": [self._pressed(button)]})

    def press_home(self, label: str) -> Ack:
        """Press a button of this member's Home tab."""
        view = self.workspace.homes[self.user]
        button = self._button(rules.buttons(view.body["blocks"]), label)
        context: JSON = {
            "container": {"type": "view", "view_id": view.id},
            "view": view_json(self.workspace, view),
        }
        return self._act("block_actions", context | {"actions": [self._pressed(button)]})

    def message_shortcut(self, message: Message, callback: str) -> Ack:
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

    def shortcut(self, callback: str) -> Ack:
        """Choose a global shortcut."""
        return self._act("shortcut", {"callback_id": callback, "action_ts": self.slack.clock.ts()})

    def submit(self, view: View, values: JSON, response_channel: str | None = None) -> Ack:
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
        ack = self._act("view_submission", {"view": body, "response_urls": urls})
        if ack.acked and (ack.answer or {}).get("response_action") != "errors":
            view.closed = True
        return ack

    def open_home(self) -> None:
        """Open the app's Home tab."""
        channel = self.workspace.dm(self.user)
        self.send_event(
            {
                "type": "app_home_opened",
                "user": self.user,
                "channel": channel.id,
                "tab": "home",
                "event_ts": self.slack.clock.ts(),
            }
        )

    # -- what the member sees ---------------------------------------------------------

    def answers(self, channel: str, root: str) -> list[Message]:
        """The app's messages in a thread."""
        thread = self.workspace.thread(channel, root)
        return [m for m in thread if m.bot]

    def ephemeral_messages(self) -> list[EphemeralMessage]:
        """The member's ephemeral messages, oldest first."""
        return [w for w in self.workspace.ephemeral_messages if w.user == self.user]

    def ephemeral_text(self) -> str:
        """The text of all their ephemeral messages."""
        return "\n".join(read(w.text, w.blocks) for w in self.ephemeral_messages())

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

    # -- internals ---------------------------------------------------------

    def _act(self, kind: str, payload: JSON) -> Ack:
        body: JSON = {
            "type": kind,
            "team": {"id": self.workspace.id, "domain": self.workspace.name},
            "user": {"id": self.user, "name": self.user.lower(), "team_id": self.workspace.id},
            "api_app_id": APP_ID,
            "trigger_id": self.slack.methods.trigger(),
            **payload,
        }
        return self.slack.run(self.sender.send("interactive", body))

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
    """The visible text: the blocks' where there are any, else the fallback text."""
    return rules.words(blocks) if blocks else rules.unescape(text)


def labels(message: Message) -> list[str]:
    """The labels of a message's buttons."""
    return [b["text"]["text"] for b in rules.buttons(message.blocks)]
