"""Processors of pictures and text on a machine without torchvision.

transformers' processors of Qwen2-VL and Pixtral import torchvision for videos or for a fast resize,
which no image pipeline uses. Where it is missing, a component of such a class is replaced by one
that reads the same files: the tokenizer, and the image processor on Pillow.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import transformers
from diffusers import DiffusionPipeline
from transformers.processing_utils import ProcessorMixin


class Qwen2VLPictureProcessor(transformers.Qwen2VLProcessor):  # type: ignore[misc]
    """Qwen2-VL's processor of text and pictures, without videos."""

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        chat_template: str | None = None,
        **_more: Any,
    ) -> None:
        self.image_token = getattr(tokenizer, "image_token", "<|image_pad|>")
        self.video_token = getattr(tokenizer, "video_token", "<|video_pad|>")
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)


def replaced_processors(source: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Components for `from_pretrained`, by name, in the place of those that need torchvision.

    `options` are its other arguments. Empty where torchvision is installed.
    """
    if has_torchvision():
        return {}
    index = DiffusionPipeline.load_config(source, **_hub_options(options))
    found: dict[str, Any] = {}
    for name, value in index.items():
        make = (
            _MAKERS.get(value[1]) if isinstance(value, (list, tuple)) and len(value) == 2 else None
        )
        if make is not None:
            found[name] = make(source, name, _hub_options(options))
    return found


@cache
def has_torchvision() -> bool:
    """Whether torchvision is installed."""
    return importlib.util.find_spec("torchvision") is not None


def _hub_options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("local_files_only", "revision") if name in options}


def _tokenizer(source: str, part: str, options: Mapping[str, Any]) -> Any:
    return transformers.AutoTokenizer.from_pretrained(source, subfolder=part, **options)


def _picture_processor(source: str, part: str, options: Mapping[str, Any]) -> Any:
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    tokenizer = _tokenizer(source, part, options)
    return Qwen2VLPictureProcessor(
        Qwen2VLImageProcessorPil.from_pretrained(source, subfolder=part, **options),
        tokenizer,
        chat_template=tokenizer.chat_template,
    )


_MAKERS: Mapping[str, Callable[[str, str, Mapping[str, Any]], Any]] = {
    "Qwen2VLProcessor": _picture_processor,
    "Qwen2_5_VLProcessor": _picture_processor,
    "PixtralProcessor": _tokenizer,
}
