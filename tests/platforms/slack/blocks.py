"""Block Kit's documented limits, as the loopback Slack enforces them.

Figures: https://docs.slack.dev/reference/block-kit and /reference/views.
Each check yields messages with a JSON pointer, like Slack's own `response_metadata.messages`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

JSON = dict[str, Any]
FILE_ID = re.compile(r"^F[A-Z0-9]{8,}$")
# What Slack makes active: in mrkdwn text, and of colon codes in plain text with `emoji` set.
LINK = re.compile(r"<[^<>\s][^<>]*>")
AUTOMATIC_LINK = re.compile(r"(?i)\b(?:https?://|mailto:)\S|\b[\w-]+\.[a-z]{2,}\b|(?<!\w)[#@]\w")
FORMAT = re.compile(r"(?<!\w)([*_~`])(?=\S)[^\n]*?(?<=\S)\1(?!\w)|(?m:^(?:&gt;|>))")
EMOJI = re.compile(r":[\w+-]+:")
PING = re.compile(r"<(?:!(?:channel|here|everyone|subteam\^[A-Z0-9]+)|@[UW][A-Z0-9]+)[^>]*>")

OPTION_LIMIT = 100
MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100


def message_errors(blocks: list[JSON]) -> list[str]:
    """The errors Slack would report for a message's blocks."""
    errors = [*_errors(blocks, MESSAGE_BLOCKS)]
    errors += [
        f"input is not allowed here [/blocks/{i}]"
        for i, b in enumerate(blocks)
        if b.get("type") in {"input"}
    ]
    return errors


def view_errors(view: JSON) -> list[str]:
    """The errors Slack would report for a view."""
    errors = [*_errors(view.get("blocks", []), VIEW_BLOCKS)]
    if view.get("type") == "modal":
        errors += _text(view.get("title"), 24, "/title")
        for name in ("submit", "close"):
            if name in view:
                errors += _text(view[name], 24, f"/{name}")
        if any(b.get("type") == "input" for b in view["blocks"]) and "submit" not in view:
            errors.append("a modal with inputs needs a submit [/submit]")
    elif view.get("type") != "home":
        errors.append("unknown view type [/type]")
    if len(view.get("private_metadata", "")) > 3000:
        errors.append("more than 3000 characters [/private_metadata]")
    if len(view.get("callback_id", "")) > 255:
        errors.append("more than 255 characters [/callback_id]")
    return errors


def pings(text: str, blocks: list[JSON]) -> list[str]:
    """Every mention in a message that would notify someone; plain text has none."""
    found = PING.findall(text) if not blocks else []
    for piece in _mrkdwn(blocks):
        found += PING.findall(piece)
    return found


def active(text: str, blocks: list[JSON]) -> list[str]:
    """Every piece of text that Slack would turn into a link, mention, format or emoji."""
    found: list[str] = []
    for each in _texts(blocks) if blocks else [{"type": "mrkdwn", "text": text}]:
        if each["type"] == "mrkdwn":
            patterns = [LINK, FORMAT, EMOJI]
            patterns += [] if each.get("verbatim") else [AUTOMATIC_LINK]
        else:
            patterns = [EMOJI] if each.get("emoji", True) else []
        found += [m[0] for pattern in patterns for m in pattern.finditer(each["text"])]
    return found


def shown_files(blocks: list[JSON]) -> list[str]:
    """The ids of the Slack files in image blocks."""
    return [b["slack_file"]["id"] for b in blocks if b.get("type") == "image" and "slack_file" in b]


def buttons(blocks: list[JSON]) -> list[JSON]:
    """Every button in a message or view."""
    found: list[JSON] = []
    for block in blocks:
        found += [e for e in block.get("elements", []) if e.get("type") == "button"]
        accessory = block.get("accessory", {})
        if accessory.get("type") == "button":
            found.append(accessory)
    return found


def words(blocks: list[JSON]) -> str:
    """The visible text of blocks, unescaped."""
    pieces = [unescape(t["text"]) if t["type"] == "mrkdwn" else t["text"] for t in _texts(blocks)]
    return "\n".join(pieces)


def unescape(text: str) -> str:
    """Text with Slack's entities decoded."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _texts(node: Any) -> Iterator[JSON]:
    if isinstance(node, dict):
        if node.get("type") in {"mrkdwn", "plain_text"} and isinstance(node.get("text"), str):
            yield node
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)


def _mrkdwn(blocks: list[JSON]) -> Iterator[str]:
    return (t["text"] for t in _texts(blocks) if t["type"] == "mrkdwn")


def _errors(blocks: Any, limit: int) -> Iterator[str]:
    if not isinstance(blocks, list):
        yield "not a list [/blocks]"
        return
    if len(blocks) > limit:
        yield f"more than {limit} blocks [/blocks]"
    info: set[str] = set()
    for number, block in enumerate(blocks):
        pointer = f"/blocks/{number}"
        if "block_id" in block:
            if block["block_id"] in info:
                yield f"repeated block_id [{pointer}/block_id]"
            if len(block["block_id"]) > 255:
                yield f"more than 255 characters [{pointer}/block_id]"
            info.add(block["block_id"])
        check = BLOCKS.get(block.get("type", ""))
        if check is None:
            yield f"unknown block type [{pointer}/type]"
        else:
            yield from check(block, pointer)


def _text(text: Any, limit: int, pointer: str, plain: bool = True) -> list[str]:
    if not isinstance(text, dict) or not isinstance(text.get("text"), str):
        return [f"a text object is expected [{pointer}]"]
    kinds = {"plain_text"} if plain else {"plain_text", "mrkdwn"}
    errors = [] if text.get("type") in kinds else [f"wrong kind of text [{pointer}/type]"]
    if not 1 <= len(text["text"]) <= limit:
        errors.append(f"1 to {limit} characters are expected [{pointer}/text]")
    return errors


def _section(block: JSON, pointer: str) -> Iterator[str]:
    if "text" in block:
        yield from _text(block["text"], 3000, f"{pointer}/text", plain=False)
    elif not block.get("fields"):
        yield f"text or fields are expected [{pointer}]"
    fields = block.get("fields", [])
    if len(fields) > 10:
        yield f"more than 10 fields [{pointer}/fields]"
    for number, each in enumerate(fields):
        yield from _text(each, 2000, f"{pointer}/fields/{number}", plain=False)
    if "accessory" in block:
        yield from _element(block["accessory"], f"{pointer}/accessory")


def _image(block: JSON, pointer: str) -> Iterator[str]:
    if not 1 <= len(block.get("alt_text", "")) <= 2000:
        yield f"alt_text of 1 to 2000 characters is expected [{pointer}/alt_text]"
    if ("image_url" in block) == ("slack_file" in block):
        yield f"exactly one of image_url and slack_file is expected [{pointer}]"
    if "slack_file" in block and not FILE_ID.match(block["slack_file"].get("id", "")):
        yield f"input must match regex pattern [{pointer}/slack_file/id]"
    if "title" in block:
        yield from _text(block["title"], 2000, f"{pointer}/title")


def _header(block: JSON, pointer: str) -> Iterator[str]:
    yield from _text(block.get("text"), 150, f"{pointer}/text")


def _context(block: JSON, pointer: str) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 10:
        yield f"1 to 10 elements are expected [{pointer}/elements]"
    for number, each in enumerate(elements):
        if each.get("type") in {"mrkdwn", "plain_text"}:
            yield from _text(each, 2000, f"{pointer}/elements/{number}", plain=False)
        elif each.get("type") == "image":
            yield from _image(each, f"{pointer}/elements/{number}")
        else:
            yield f"unknown element [{pointer}/elements/{number}]"


def _actions(block: JSON, pointer: str) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 25:
        yield f"1 to 25 elements are expected [{pointer}/elements]"
    ids = [e.get("action_id") for e in elements]
    if len(set(ids)) != len(ids):
        yield f"repeated action_id [{pointer}/elements]"
    for number, each in enumerate(elements):
        yield from _element(each, f"{pointer}/elements/{number}")


def _input(block: JSON, pointer: str) -> Iterator[str]:
    yield from _text(block.get("label"), 2000, f"{pointer}/label")
    if "hint" in block:
        yield from _text(block["hint"], 2000, f"{pointer}/hint")
    yield from _element(block.get("element", {}), f"{pointer}/element")


def _divider(_block: JSON, _where: str) -> Iterator[str]:
    return iter(())


def _element(element: JSON, pointer: str) -> Iterator[str]:
    kind = element.get("type", "")
    if kind not in ELEMENTS:
        yield f"unknown element {kind!r} [{pointer}/type]"
        return
    if not 1 <= len(element.get("action_id", "x")) <= 255:
        yield f"1 to 255 characters are expected [{pointer}/action_id]"
    if kind == "button":
        yield from _text(element.get("text"), 75, f"{pointer}/text")
        if len(element.get("value", "")) > 2000:
            yield f"more than 2000 characters [{pointer}/value]"
        if element.get("style", "primary") not in {"primary", "danger"}:
            yield f"primary or danger is expected [{pointer}/style]"
        yield from _confirm(element.get("confirm"), pointer)
    if kind in {"static_select", "overflow", "radio_buttons"}:
        yield from _options(element, pointer, kind)
    if kind == "plain_text_input" and not 1 <= element.get("max_length", 3000) <= 3000:
        yield f"1 to 3000 is expected [{pointer}/max_length]"
    if kind == "file_input" and not 1 <= element.get("max_files", 10) <= 10:
        yield f"1 to 10 is expected [{pointer}/max_files]"
    if "placeholder" in element:
        yield from _text(element["placeholder"], 150, f"{pointer}/placeholder")


def _confirm(confirm: JSON | None, pointer: str) -> Iterator[str]:
    if confirm is not None:
        yield from _text(confirm.get("title"), 100, f"{pointer}/confirm/title")
        yield from _text(confirm.get("text"), 300, f"{pointer}/confirm/text", plain=False)
        yield from _text(confirm.get("confirm"), 30, f"{pointer}/confirm/confirm")
        yield from _text(confirm.get("deny"), 30, f"{pointer}/confirm/deny")


def _options(element: JSON, pointer: str, kind: str) -> Iterator[str]:
    limit = {"static_select": OPTION_LIMIT, "overflow": 5, "radio_buttons": 10}[kind]
    options = element.get("options", [])
    if not 1 <= len(options) <= limit:
        yield f"1 to {limit} options are expected [{pointer}/options]"
    for number, option in enumerate(options):
        yield from _text(option.get("text"), 75, f"{pointer}/options/{number}/text", plain=False)
        if not 1 <= len(option.get("value", "")) <= 150:
            yield f"1 to 150 characters are expected [{pointer}/options/{number}/value]"
    initial = element.get("initial_option")
    if initial is not None and initial not in options:
        yield f"not one of the options [{pointer}/initial_option]"


ELEMENTS = {
    "button",
    "static_select",
    "overflow",
    "radio_buttons",
    "plain_text_input",
    "number_input",
    "file_input",
    "conversations_select",
}
BLOCKS: dict[str, Callable[[JSON, str], Iterator[str]]] = {
    "section": _section,
    "image": _image,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "divider": _divider,
}
