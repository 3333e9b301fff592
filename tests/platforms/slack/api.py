"""The Web API's methods, each with the behaviour of the real one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from tests.platforms.slack import blocks as rules
from tests.platforms.slack.world import (
    JSON,
    Channel,
    Clock,
    EphemeralMessage,
    File,
    Message,
    View,
    Workspace,
)

UPDATE_LIMIT = 4000  # characters of text in chat.update
POST_LIMIT = 40_000


class Refusal(Exception):
    """The answer is `ok: false`."""

    def __init__(self, error: str, messages: list[str] | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages or []


class Methods:
    """Executes calls of one app in any workspace."""

    def __init__(self, clock: Clock, origin: Callable[[], str]) -> None:
        self._clock = clock
        self._origin = origin
        self.processing_polls = 0  # how often files.info reports a new file as unprocessed
        self.groups_include_users = True  # whether a list of groups contains their members
        self.blocks_accept_files = True  # whether image blocks may show Slack files
        self.triggers: dict[str, float] = {}
        self._handlers: dict[str, Callable[[Workspace, JSON], JSON]] = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.getPermalink": self._permalink,
            "conversations.replies": self._replies,
            "conversations.history": self._history,
            "conversations.info": self._conversation,
            "conversations.open": self._direct,
            "users.info": self._user,
            "usergroups.list": self._groups,
            "usergroups.users.list": self._group,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._complete,
            "files.info": self._file_info,
            "files.delete": self._file_delete,
            "views.open": self._view_open,
            "views.update": self._view_update,
            "views.publish": self._view_publish,
            "assistant.threads.setStatus": self._status,
            "assistant.threads.setTitle": self._no_result,
            "assistant.threads.setSuggestedPrompts": self._prompts,
        }

    def call(self, workspace: Workspace, method: str, args: JSON) -> JSON:
        """The answer of one call. Raises Refusal."""
        handler = self._handlers.get(method)
        if handler is None:
            raise Refusal("unknown_method")
        return handler(workspace, args)

    def trigger(self) -> str:
        """A new trigger id, valid once within three seconds."""
        name = f"{self._clock.id('')}.{self._clock.id('')}.abcdef"
        self.triggers[name] = time.monotonic() + 3.0
        return name

    # -- messages ---------------------------------------------------------

    def _auth_test(self, ws: Workspace, _args: JSON) -> JSON:
        return {
            "url": f"https://{ws.name}.slack.com/",
            "team": ws.name,
            "team_id": ws.id,
            "user": "atelier",
            "user_id": ws.bot_user,
            "bot_id": ws.bot_id,
        }

    def _post(self, ws: Workspace, args: JSON) -> JSON:
        channel = self._writable(ws, args["channel"])
        blocks = self._blocks(ws, args)
        root = args.get("thread_ts")
        if root is not None and root not in channel.messages:
            raise Refusal("thread_not_found")
        message = Message(
            ts=self._clock.ts(),
            channel=channel.id,
            user=ws.bot_user,
            text="",
            bot=True,
            thread_ts=root,
            metadata=_metadata(args),
        )
        message.show(args.get("text", "")[:POST_LIMIT], blocks)
        channel.messages[message.ts] = message
        self._share(ws, channel, rules.shown_files(blocks))
        return {"channel": channel.id, "ts": message.ts, "message": _as_json(message)}

    def _update(self, ws: Workspace, args: JSON) -> JSON:
        channel = self._writable(ws, args["channel"], archived="is_inactive")
        message = channel.messages.get(args["ts"])
        if message is None or message.deleted:
            raise Refusal("message_not_found")
        if message.user != ws.bot_user:
            raise Refusal("cant_update_message")
        if len(args.get("text", "")) > UPDATE_LIMIT:
            raise Refusal("msg_too_long")
        blocks = self._blocks(ws, args)
        if "file_ids" in args:
            message.files = _listed(args["file_ids"])
            if any(i not in ws.files or not ws.files[i].complete for i in message.files):
                raise Refusal("file_not_found")
            self._share(ws, channel, message.files)
        message.show(args.get("text", ""), blocks)
        message.metadata = _metadata(args) or message.metadata
        self._share(ws, channel, rules.shown_files(blocks))
        return {"channel": channel.id, "ts": message.ts, "message": _as_json(message)}

    def _delete(self, ws: Workspace, args: JSON) -> JSON:
        message = self._writable(ws, args["channel"]).messages.get(args["ts"])
        if message is None or message.deleted:
            raise Refusal("message_not_found")
        if message.user != ws.bot_user:
            raise Refusal("cant_delete_message")
        message.deleted = True
        return {"channel": args["channel"], "ts": message.ts}

    def _post_ephemeral(self, ws: Workspace, args: JSON) -> JSON:
        channel = self._writable(ws, args["channel"])
        if args["user"] not in channel.members:
            raise Refusal("user_not_in_channel")
        blocks = self._blocks(ws, args)
        ws.ephemeral_messages.append(
            EphemeralMessage(
                channel.id, args["user"], args.get("text", ""), blocks, args.get("thread_ts")
            )
        )
        return {"message_ts": self._clock.ts()}

    def _permalink(self, ws: Workspace, args: JSON) -> JSON:
        self._message(ws, args["channel"], args["message_ts"])
        place = f"{args['channel']}/p{args['message_ts'].replace('.', '')}"
        return {"permalink": f"https://{ws.name}.slack.com/archives/{place}"}

    def _replies(self, ws: Workspace, args: JSON) -> JSON:
        channel = self._readable(ws, args["channel"])
        root = channel.messages.get(args["ts"])
        if root is None:
            raise Refusal("thread_not_found")
        thread = [root, *ws.thread(channel.id, root.ts)]
        return {"messages": self._page(thread, args), "has_more": False}

    def _history(self, ws: Workspace, args: JSON) -> JSON:
        channel = self._readable(ws, args["channel"])
        top = [m for m in channel.messages.values() if m.thread_ts in {None, m.ts}]
        return {"messages": self._page(top, args)[::-1], "has_more": False}

    def _page(self, messages: list[Message], args: JSON) -> list[JSON]:
        full = str(args.get("include_all_metadata", "")).lower() in {"true", "1"}
        oldest = float(args.get("oldest", 0))
        kept = [m for m in messages if not m.deleted and float(m.ts) >= oldest]
        return [_as_json(m, full) for m in kept[-int(args.get("limit", 1000)) :]]

    def _conversation(self, ws: Workspace, args: JSON) -> JSON:
        channel = self._readable(ws, args["channel"])
        return {
            "channel": {"id": channel.id, "name": channel.name, "is_archived": channel.archived}
        }

    def _direct(self, ws: Workspace, args: JSON) -> JSON:
        return {"channel": {"id": ws.dm(args["users"]).id}}

    # -- people ---------------------------------------------------------

    def _user(self, ws: Workspace, args: JSON) -> JSON:
        user = ws.users.get(args["user"])
        if user is None:
            raise Refusal("user_not_found")
        values: JSON = {
            "id": user.id,
            "team_id": user.team or ws.id,
            "name": user.name,
            "real_name": user.name.title(),
            "is_admin": user.admin,
            "is_owner": False,
            "is_bot": user.bot,
        }
        if str(args.get("include_locale", "")).lower() in {"true", "1"}:
            values["locale"] = user.locale
        return {"user": values}

    def _groups(self, ws: Workspace, args: JSON) -> JSON:
        with_users = str(args.get("include_users", "")).lower() in {"true", "1"}
        groups: list[JSON] = []
        for name, members in ws.groups.items():
            groups.append({"id": name, "name": name.lower(), "date_delete": 0})
            if with_users and self.groups_include_users:
                groups[-1]["users"] = sorted(members)
        return {"usergroups": groups}

    def _group(self, ws: Workspace, args: JSON) -> JSON:
        if args["usergroup"] not in ws.groups:
            raise Refusal("no_such_subteam")
        return {"users": sorted(ws.groups[args["usergroup"]])}

    # -- files ---------------------------------------------------------

    def _upload_url(self, ws: Workspace, args: JSON) -> JSON:
        if len(args.get("alt_txt", "")) > 1000:
            raise Refusal("alt_txt_too_large")
        file = File(
            self._clock.id("F"),
            args["filename"],
            ws.bot_user,
            int(args["length"]),
            alt=args.get("alt_txt", ""),
        )
        ws.files[file.id] = file
        return {"file_id": file.id, "upload_url": f"{self._origin()}/upload/{ws.id}/{file.id}"}

    def _complete(self, ws: Workspace, args: JSON) -> JSON:
        listed = args["files"] if isinstance(args["files"], list) else json.loads(args["files"])
        done: list[JSON] = []
        for each in listed:
            file = ws.files.get(each["id"])
            if file is None or not file.data or file.complete:
                raise Refusal("file_not_found")
            file.complete, file.title = True, each.get("title", file.name)
            file.polls_left = self.processing_polls
            done.append({"id": file.id, "title": file.title})
        if "channel_id" in args:
            channel = self._writable(ws, args["channel_id"])
            message = Message(
                self._clock.ts(),
                channel.id,
                ws.bot_user,
                "",
                bot=True,
                thread_ts=args.get("thread_ts"),
                files=[d["id"] for d in done],
            )
            message.show(args.get("initial_comment", ""), [])
            channel.messages[message.ts] = message
            self._share(ws, channel, message.files)
        return {"files": done}

    def _file_info(self, ws: Workspace, args: JSON) -> JSON:
        file = ws.files.get(args["file"])
        if file is None or not file.complete:
            raise Refusal("file_not_found")
        if file.deleted:
            raise Refusal("file_deleted")
        ready = file.polls_left <= 0
        file.polls_left -= 1
        return {"file": self.file_json(ws, file) | ({} if ready else {"mimetype": ""})}

    def file_json(self, ws: Workspace, file: File) -> JSON:
        """A file as in events and `files.info`."""
        url = f"{self._origin()}/files-pri/{ws.id}-{file.id}/download/{file.name}"
        return {
            "id": file.id,
            "name": file.name,
            "title": file.title,
            "mimetype": file.mimetype,
            "size": file.size,
            "user": file.owner,
            "url_private": url,
            "url_private_download": url,
            "channels": sorted(file.channels),
        }

    def _file_delete(self, ws: Workspace, args: JSON) -> JSON:
        file = ws.files.get(args["file"])
        if file is None or file.deleted:
            raise Refusal("file_not_found")
        if file.owner != ws.bot_user:
            raise Refusal("cant_delete_file")
        file.deleted = True
        return {}

    # -- views and assistant threads ---------------------------------------------------------

    def _view_open(self, ws: Workspace, args: JSON) -> JSON:
        expires = self.triggers.pop(args.get("trigger_id", ""), None)
        if expires is None:
            raise Refusal("invalid_trigger_id")
        if expires < time.monotonic():
            raise Refusal("expired_trigger_id")
        body = self._view(args)
        view = View(self._clock.id("V"), "", body, self._clock.ts())
        ws.modals[view.id] = view
        return {"view": view_json(ws, view)}

    def _view_update(self, ws: Workspace, args: JSON) -> JSON:
        view = ws.modals.get(args.get("view_id", ""))
        if view is None or view.closed:
            raise Refusal("not_found")
        view.body, view.hash = self._view(args), self._clock.ts()
        return {"view": view_json(ws, view)}

    def _view_publish(self, ws: Workspace, args: JSON) -> JSON:
        body = self._view(args)
        self._check_files(ws, body["blocks"])
        view = View(self._clock.id("V"), args["user_id"], body, self._clock.ts())
        ws.homes[args["user_id"]] = view
        return {"view": view_json(ws, view)}

    def _view(self, args: JSON) -> JSON:
        view = args["view"] if isinstance(args["view"], dict) else json.loads(args["view"])
        faults = rules.view_errors(view)
        if faults:
            raise Refusal("invalid_arguments", faults)
        if len(json.dumps(view)) > 250_000:
            raise Refusal("view_too_large")
        return dict(view)

    def _status(self, ws: Workspace, args: JSON) -> JSON:
        self._readable(ws, args["channel_id"])
        ws.statuses.append((args["channel_id"], args["thread_ts"], args["status"]))
        return {}

    def _prompts(self, ws: Workspace, args: JSON) -> JSON:
        if "thread_ts" in args:  # an agent app's call with a thread is ignored
            return {}
        self._readable(ws, args["channel_id"])
        prompts = args["prompts"]
        ws.prompts = prompts if isinstance(prompts, list) else json.loads(prompts)
        return {}

    def _no_result(self, _ws: Workspace, _args: JSON) -> JSON:
        return {}

    # -- shared by several methods ---------------------------------------------------------

    def _readable(self, ws: Workspace, name: str) -> Channel:
        channel = ws.channels.get(name)
        if channel is None or channel.gone:
            raise Refusal("channel_not_found")
        if ws.bot_user not in channel.members:
            raise Refusal("not_in_channel")
        return channel

    def _writable(self, ws: Workspace, name: str, archived: str = "is_archived") -> Channel:
        if name in ws.users:  # chat.postMessage accepts a user id for direct messages
            return ws.dm(name)
        channel = self._readable(ws, name)
        if channel.archived:
            raise Refusal(archived)
        return channel

    def _message(self, ws: Workspace, channel: str, ts: str) -> Message:
        message = self._readable(ws, channel).messages.get(ts)
        if message is None or message.deleted:
            raise Refusal("message_not_found")
        return message

    def _blocks(self, ws: Workspace, args: JSON) -> list[JSON]:
        raw = args.get("blocks", [])
        blocks = json.loads(raw) if isinstance(raw, str) else list(raw)
        faults = rules.message_errors(blocks)
        if faults:
            raise Refusal("invalid_blocks", faults)
        if not blocks and not args.get("text"):
            raise Refusal("no_text")
        self._check_files(ws, blocks)
        return blocks

    def _check_files(self, ws: Workspace, blocks: list[JSON]) -> None:
        for number, name in enumerate(rules.shown_files(blocks)):
            file = ws.files.get(name)
            ready = file and file.complete and not file.deleted and file.polls_left <= 0
            if not ready or not self.blocks_accept_files:
                pointer = f"[json-pointer:/blocks/{number}/slack_file]"
                raise Refusal("invalid_blocks", [f"[ERROR] invalid slack file {pointer}"])

    def _share(self, ws: Workspace, channel: Channel, files: list[str]) -> None:
        for name in files:
            ws.files[name].channels.add(channel.id)


def view_json(ws: Workspace, view: View) -> JSON:
    """A view as in responses and payloads."""
    return {
        **view.body,
        "id": view.id,
        "team_id": ws.id,
        "hash": view.hash,
        "state": {"values": {}},
        "private_metadata": view.body.get("private_metadata", ""),
        "callback_id": view.body.get("callback_id", ""),
    }


def message_json(message: Message) -> JSON:
    """A message as in interaction payloads."""
    return _as_json(message, full=True)


def _as_json(message: Message, full: bool = False) -> JSON:
    values: JSON = {
        "type": "message",
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": message.blocks,
    }
    if message.thread_ts:
        values["thread_ts"] = message.thread_ts
    if full and message.metadata:
        values["metadata"] = message.metadata
    if message.bot:
        values["bot_id"] = "B0BOT00000"
    return values


def _listed(ids: Any) -> list[str]:
    """A list of ids in any of the three formats that Slack accepts."""
    if isinstance(ids, list):
        return list(ids)
    return list(json.loads(ids)) if ids.startswith("[") else ids.split(",")


def _metadata(args: JSON) -> Any:
    raw = args.get("metadata")
    found = json.loads(raw) if isinstance(raw, str) else raw
    if found and not {"event_type", "event_payload"} <= set(found):
        raise Refusal("invalid_metadata_format")
    return found
