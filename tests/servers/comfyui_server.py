"""A ComfyUI server without models: it validates, queues, runs and stores as the real one does.

Every prompt runs the steps of its sampler, with a preview for each, then saves a picture of one
colour. One prompt runs at a time.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web
from PIL import Image

from tests.servers.loopback import LoopbackServer

NODES = frozenset(
    {
        "CheckpointLoaderSimple",
        "CLIPTextEncode",
        "EmptyLatentImage",
        "KSampler",
        "LoadImage",
        "LoadImageMask",
        "LoraLoader",
        "SaveImage",
        "VAEDecode",
        "VAEEncode",
    }
)


@dataclass
class Item:
    """One prompt in the queue."""

    number: int
    id: str
    workflow: dict[str, Any]
    client: str
    interrupted: asyncio.Event = field(default_factory=asyncio.Event)


class ComfyUIServer(LoopbackServer):
    """Flags make faults; with `hold`, prompts stop after their first step until `release`."""

    def __init__(self, *, hold: bool = False, own_ids: bool = False) -> None:
        super().__init__()
        self.hold = hold
        self.own_ids = own_ids  # as older servers: the id of the client is ignored
        self.statuses: list[int] = []  # answers of `/prompt`, used up one a call; 200 after them
        self.failing_node: dict[str, Any] | None = None
        self.drop_websockets = False  # each is closed by its first message of progress
        self.refuse_websockets = False
        self.half_a_picture = False
        self.size: tuple[int, int] | None = None  # of every picture, in place of the right one
        self.forget_prompts = False
        self.without_outputs = False
        self.prompts: list[Item] = []
        self.uploads: dict[str, bytes] = {}
        self.interrupts: list[Any] = []
        self.deleted: list[str] = []
        self.connections = 0
        self._queue: list[Item] = []
        self._running: Item | None = None
        self._history: dict[str, Any] = {}
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._pictures: dict[str, bytes] = {}
        self._wake = asyncio.Event()
        self._open = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        routes = self.app.router
        routes.add_get("/ws", self._websocket)
        routes.add_get("/system_stats", self._stats)
        routes.add_get("/object_info/{kind}", self._node)
        routes.add_post("/prompt", self._post)
        routes.add_get("/queue", self._list)
        routes.add_post("/queue", self._delete)
        routes.add_post("/interrupt", self._interrupt)
        routes.add_get("/history/{id}", self._entry)
        routes.add_get("/view", self._view)
        routes.add_post("/upload/image", self._upload)
        self.app.on_startup.append(self._begin)
        self.app.on_cleanup.append(self._end)

    def pause(self) -> None:
        """Hold what comes from now on, until `release`."""

        def close() -> None:
            self.hold = True
            self._open.clear()

        self.on_loop(close)

    def release(self) -> None:
        """Let held prompts go on."""
        self.on_loop(self._open.set)

    def interrupt_running(self) -> None:
        """As the button on ComfyUI's own page."""
        if self._running is not None:
            self._running.interrupted.set()

    @property
    def running(self) -> str | None:
        """The id of the prompt that runs."""
        return self._running.id if self._running else None

    @property
    def pending(self) -> list[str]:
        """The ids of the prompts that wait."""
        return [item.id for item in self._queue]

    # -- routes ---------------------------------------------------------------------------------

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response({"system": {"comfyui_version": "0.3.76"}, "devices": []})

    async def _node(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        return web.json_response({kind: {"name": kind}} if kind in NODES else {})

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.statuses and (status := self.statuses.pop(0)) != 200:
            return web.json_response({"error": "busy"}, status=status)
        if errors := _node_errors(body["prompt"]):
            error = {"type": "prompt_outputs_failed_validation", "message": "Failed", "details": ""}
            return web.json_response({"error": error, "node_errors": errors}, status=400)
        known = None if self.own_ids else body.get("prompt_id")
        item = Item(len(self.prompts), known or str(uuid4()), body["prompt"], body["client_id"])
        self.prompts.append(item)
        if not self.forget_prompts:
            self._queue.append(item)
            self._wake.set()
        answer = {"prompt_id": item.id, "number": item.number, "node_errors": {}}
        return web.json_response(answer)

    async def _list(self, _: web.Request) -> web.Response:
        running = [_row(self._running)] if self._running else []
        pending = [_row(item) for item in self._queue]
        return web.json_response({"queue_running": running, "queue_pending": pending})

    async def _delete(self, request: web.Request) -> web.Response:
        for id_ in (await request.json()).get("delete", []):
            if any(item.id == id_ for item in self._queue):
                self.deleted.append(id_)
            self._queue = [item for item in self._queue if item.id != id_]
        return web.Response()

    async def _interrupt(self, request: web.Request) -> web.Response:
        body = json.loads(await request.text() or "{}")
        self.interrupts.append(body.get("prompt_id"))
        if self._running is not None and body.get("prompt_id") in {None, self._running.id}:
            self._running.interrupted.set()
        return web.Response()

    async def _entry(self, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        return web.json_response({id_: self._history[id_]} if id_ in self._history else {})

    async def _view(self, request: web.Request) -> web.Response:
        data = self._pictures[request.query["filename"]]
        return web.Response(
            body=data[: len(data) // 2] if self.half_a_picture else data, content_type="image/png"
        )

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        image = form["image"]
        assert isinstance(image, web.FileField)
        self.uploads[image.filename] = image.file.read()
        names = {"name": image.filename, "subfolder": form["subfolder"], "type": form["type"]}
        return web.json_response(names)

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_websockets:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        client = request.query["clientId"]
        self._sockets[client] = socket
        self.connections += 1
        await socket.send_json({"type": "status", "data": {"status": {}, "sid": client}})
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
        return socket

    # -- the queue ------------------------------------------------------------------------------

    async def _begin(self, _: web.Application) -> None:
        self._worker = asyncio.create_task(self._work())

    async def _end(self, _: web.Application) -> None:
        if self._worker is not None:
            self._worker.cancel()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                self._running = self._queue.pop(0)
                self._history[self._running.id] = await self._run(self._running)
                self._running = None

    async def _run(self, item: Item) -> dict[str, Any]:
        """Run a prompt; its history entry."""
        await self._send(item, "execution_start", {"prompt_id": item.id})
        sampler = next(node for node in item.workflow.values() if node["class_type"] == "KSampler")
        steps = int(sampler["inputs"]["steps"])
        await self._send(item, "executing", {"node": "3", "prompt_id": item.id})
        for step in range(1, steps + 1):
            done = {"value": step, "max": steps, "prompt_id": item.id, "node": "3"}
            await self._send(item, "progress", done)
            await self._preview(item, step)
            while step == 1 and self.hold and not self._open.is_set():
                await _first(self._open.wait(), item.interrupted.wait(), asyncio.sleep(0.2))
                if item.interrupted.is_set():
                    break
                await self._send(item, "progress", done)  # a slow step, told again
            if item.interrupted.is_set():
                told = {"prompt_id": item.id, "node_id": "3", "node_type": "KSampler"}
                return await self._failed(item, "execution_interrupted", told)
        if self.failing_node is not None:
            told = {"prompt_id": item.id, **self.failing_node}
            return await self._failed(item, "execution_error", told)
        outputs = {} if self.without_outputs else {"9": {"images": [self._save(item)]}}
        await self._send(item, "execution_success", {"prompt_id": item.id})
        await self._send(item, "executing", {"node": None, "prompt_id": item.id})
        status = {"status_str": "success", "completed": True, "messages": []}
        return {"prompt": _row(item), "outputs": outputs, "status": status}

    async def _failed(self, item: Item, kind: str, told: dict[str, Any]) -> dict[str, Any]:
        await self._send(item, kind, told)
        status = {"status_str": "error", "completed": False, "messages": [[kind, told]]}
        return {"prompt": _row(item), "outputs": {}, "status": status}

    def _save(self, item: Item) -> dict[str, str]:
        inputs = [node["inputs"] for node in item.workflow.values()]
        size = next((values for values in inputs if "width" in values), {"width": 64, "height": 64})
        width, height = self.size or (int(size["width"]), int(size["height"]))
        name = f"atelier_{item.number:05}_.png"
        self._pictures[name] = _picture(width, height, colour_of(item.workflow))
        return {"filename": name, "subfolder": "", "type": "output"}

    async def _send(self, item: Item, kind: str, data: Mapping[str, Any]) -> None:
        socket = self._sockets.get(item.client)
        if socket is None or socket.closed:
            return
        if self.drop_websockets and kind == "progress":
            await socket.close()
            return
        await socket.send_json({"type": kind, "data": data})

    async def _preview(self, item: Item, step: int) -> None:
        socket = self._sockets.get(item.client)
        if socket is not None and not socket.closed:
            data = _picture(16, 16, (step % 256, 0, 0), "JPEG")
            await socket.send_bytes(struct.pack(">II", 1, 1) + data)


def colour_of(workflow: Mapping[str, Any]) -> tuple[int, int, int]:
    """The colour that a filled workflow draws: of its prompt and its seed."""
    sampler = next(node for node in workflow.values() if node["class_type"] == "KSampler")
    texts = [
        node["inputs"]["text"]
        for node in workflow.values()
        if node["class_type"] == "CLIPTextEncode"
    ]
    digest = hashlib.sha256(f"{texts}/{sampler['inputs']['seed']}".encode()).digest()
    return digest[0], digest[1], digest[2]


def _node_errors(workflow: Mapping[str, Any]) -> dict[str, Any]:
    """What validation finds: unknown nodes, a checkpoint that is not there, numbers as text."""
    errors: dict[str, Any] = {}
    for id_, node in workflow.items():
        inputs, found = node["inputs"], list[dict[str, Any]]()
        if node["class_type"] not in NODES:
            found.append({"type": "missing_node_type", "message": "Node does not exist"})
        if inputs.get("ckpt_name", "base.safetensors") != "base.safetensors":
            details = f"ckpt_name: '{inputs['ckpt_name']}' not in ['base.safetensors']"
            error = {"type": "value_not_in_list", "message": "Value not in list"}
            found.append({**error, "details": details})
        if not isinstance(inputs.get("seed", 0), int):
            details = f"seed, {inputs['seed']}, invalid literal"
            error = {"type": "invalid_input_type", "message": "Failed to convert"}
            found.append({**error, "details": details, "extra_info": {"input_name": "seed"}})
        if found:
            errors[id_] = {"errors": found, "class_type": node["class_type"]}
    return errors


def _row(item: Item) -> list[Any]:
    return [item.number, item.id, item.workflow, {"client_id": item.client}, ["9"]]


def _picture(width: int, height: int, fill: tuple[int, int, int], kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), fill).save(buffer, kind)
    return buffer.getvalue()


async def _first(*waits: Any) -> None:
    tasks = [asyncio.ensure_future(one) for one in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
