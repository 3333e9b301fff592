"""A ComfyUI server and the operator's workflows on it. Imports no torch.

Each picture of a request is one prompt with a seed of its own, so that every picture can be drawn
again alone. Sources are uploaded to ComfyUI's folder of temporary files, which it empties itself.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from functools import partial

import aiohttp
from PIL import Image

from imaging.engine.compositing import cover
from imaging.engine.servers.backend import ServerCall, decode_result, inside_mask
from imaging.engine.servers.comfyui_messages import Message, Stepped, outputs
from imaging.engine.servers.comfyui_prompt import Prompt
from imaging.engine.servers.comfyui_workflow import Value, Workflow, followed, read_workflow
from imaging.engine.servers.server_client import QUICK_SECONDS, ServerClient
from imaging.errors import ModelUnavailable, ServerRefused, Unsupported
from imaging.formats import encode_png
from imaging.profiles import Profile
from imaging.request import Operation, Stage
from imaging.server_models import ServerModel

UPLOAD_SECONDS = 60.0
FOLDER = "atelier"
_AT_DRAWN_SIZE = frozenset({Operation.VARY, Operation.EDIT, Operation.FILL})
"""Operations whose sources are sent at the size to draw; others are sent as they are."""


def read_workflows(model: ServerModel) -> Mapping[Operation, Workflow]:
    """The model's workflows from their files. Raises ModelUnavailable with what to correct."""
    workflows = {
        operation: read_workflow(path, operation, model.origin)
        for operation, path in model.workflows.items()
    }
    for operation, workflow in workflows.items():
        if workflow.loras > len(model.loras):
            raise ModelUnavailable(
                f"{model.origin}: the workflow for {operation} has {{{{lora_{workflow.loras}}}}}, "
                f"and models.{model.name}.loras has {len(model.loras)}.",
                model=model.name,
            )
    return workflows


class ComfyUI:
    """One model of one server. Raises ModelUnavailable for a workflow that cannot be used."""

    def __init__(self, model: ServerModel, key: str | None) -> None:
        self._model = model
        self._workflows = read_workflows(model)
        self._client = ServerClient(model.name, model.url, key)
        self._profile = model.profile(followed(self._workflows))

    @property
    def profile(self) -> Profile:
        """The model, with the parameters that its workflows follow."""
        return self._profile

    async def render(self, call: ServerCall) -> list[Image.Image]:
        """One prompt for each seed, one after another."""
        workflow = self._workflow(call)
        values = self._values(call) | await self._uploads(call, workflow)
        images: list[Image.Image] = []
        for index, seed in enumerate(call.seeds):
            on_message = partial(_report, call, index)
            prompt = Prompt(self._client, call.until, on_message, call.preview)
            entry = await prompt.run(workflow.filled({**values, "seed": seed}))
            images.append(inside_mask(await self._picture(call, outputs(entry)), call))
        return images

    async def check(self) -> str:
        """Ask for the version and for each kind of node that the workflows use."""
        answer = await self._client.call_once("GET", "/system_stats")
        system = answer.fields().get("system")
        if not answer.ok or not isinstance(system, dict):
            raise ModelUnavailable(
                f"What answers at the url of models.{self._model.name} is not ComfyUI "
                f"(status {answer.status}).",
                model=self._model.name,
            )
        for kind in sorted({kind for one in self._workflows.values() for kind in one.class_types}):
            known = await self._client.call_once("GET", f"/object_info/{kind}")
            if kind not in known.fields():
                raise ModelUnavailable(
                    f"ComfyUI has no node {kind}, which a workflow of {self._model.name} uses: "
                    "install its extension.",
                    model=self._model.name,
                )
        version = str(system.get("comfyui_version", ""))[:40]
        return f"ComfyUI {version}".strip() + ", with every node of the workflows"

    async def close(self) -> None:
        """Close connections."""
        await self._client.close()

    def _workflow(self, call: ServerCall) -> Workflow:
        """An `imagine` with a reference uses the workflow of variations. Raises Unsupported."""
        request = call.request
        with_reference = request.operation is Operation.IMAGINE and bool(request.sources)
        operation = Operation.VARY if with_reference else request.operation
        workflow = self._workflows.get(operation)
        if workflow is None or len(request.sources) > workflow.references:
            raise Unsupported(
                f"The model {self._model.name} cannot {request.operation} with "
                f"{len(request.sources)} pictures.",
                model=self._model.name,
                operation=request.operation.value,
            )
        return workflow

    def _values(self, call: ServerCall) -> dict[str, Value]:
        """The placeholders' values, apart from the seed and the pictures."""
        request, profile = call.request, self._profile
        values: dict[str, Value] = {
            "prompt": request.prompt,
            "negative": request.negative,
            "width": call.size[0],
            "height": call.size[1],
            "steps": request.steps or profile.steps_of(request.operation),
            "guidance": profile.guidance if request.guidance is None else request.guidance,
            "strength": profile.strength if request.strength is None else request.strength,
        }
        for number, lora in enumerate(self._model.loras, start=1):
            values[f"lora_{number}"] = lora.name
            values[f"lora_{number}_weight"] = lora.weight
        return values

    async def _uploads(self, call: ServerCall, workflow: Workflow) -> dict[str, Value]:
        """Upload the sources and the mask; placeholders beyond the sources repeat the last."""
        sources = list(call.inputs.sources)
        if call.request.operation in _AT_DRAWN_SIZE:
            sources = [cover(source, call.size) for source in sources]
        names = [await self._upload(call, source) for source in sources]
        values: dict[str, Value] = {}
        for number in range(1, workflow.references + 1):
            values[f"reference_{number}"] = names[min(number, len(names)) - 1]
        if (mask := call.mask) is not None:
            values["mask"] = await self._upload(call, mask)
        return values

    async def _upload(self, call: ServerCall, image: Image.Image) -> str:
        """Upload a picture; returns its name for a node that loads pictures."""
        data = await asyncio.to_thread(encode_png, image.convert("RGB"))
        file = f"{hashlib.sha256(data).hexdigest()[:32]}.png"

        def form() -> aiohttp.FormData:
            form = aiohttp.FormData({"type": "temp", "subfolder": FOLDER, "overwrite": "true"})
            form.add_field("image", data, filename=file, content_type="image/png")
            return form

        answer = await self._client.call_patiently(
            "POST", "/upload/image", until=call.until, each=UPLOAD_SECONDS, form=form
        )
        if not answer.ok:
            raise self._client.refusal(answer, "a source picture")
        fields = answer.fields()
        folder, name = fields.get("subfolder", ""), fields.get("name", file)
        return f"{folder}/{name} [temp]" if folder else f"{name} [temp]"

    async def _picture(self, call: ServerCall, files: list[Mapping[str, str]]) -> Image.Image:
        """The prompt's first picture."""
        if not files:
            raise ServerRefused(
                f"A workflow of {self._model.name} ended without a picture: "
                "it needs a node that saves or previews one.",
                model=self._model.name,
            )
        answer = await self._client.call_patiently(
            "GET", "/view", until=call.until, each=4 * QUICK_SECONDS, query=files[0]
        )
        if not answer.ok:
            raise self._client.refusal(answer, "to send the picture")
        return await asyncio.to_thread(decode_result, answer.body, call.size, self._model.name)


def _report(call: ServerCall, index: int, message: Message) -> None:
    """Progress over all pictures of a request, as the node at work tells it."""
    match message:
        case Stepped(value=value, maximum=maximum):
            call.report(Stage.STEPS, index * maximum + value, call.request.count * maximum)
        case _ if call.handle.progress.stage is not Stage.STEPS:
            call.report(Stage.STEPS)
