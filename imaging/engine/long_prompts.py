"""Prompts longer than CLIP's window, for pipelines that read CLIP's states and nothing else.

The prompt's tokens are cut into windows; each is encoded by itself, and the states are put one
after another, as a UNet's cross-attention takes any number of them. The pooled state, where the
pipeline uses one, is that of the first window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from imaging.prompt_length import SPECIAL_TOKENS


@torch.no_grad()
def embedded(pipe: Any, prompt: str, negative: str, most: int) -> dict[str, torch.Tensor]:
    """Arguments in the place of `prompt` and `negative_prompt`; none where both are short.

    `most` windows are read of each.
    """
    encoders = _encoders(pipe)
    lengths = [len(_windows(tokens, text)) for tokens, _ in encoders for text in (prompt, negative)]
    windows = min(most, max(lengths))
    if windows < 2:
        return {}
    device = pipe._execution_device
    wanted = _encode(encoders, prompt, windows, device)
    unwanted = _encode(encoders, negative, windows, device)
    if not negative and getattr(pipe.config, "force_zeros_for_empty_prompt", False):
        unwanted = {name: torch.zeros_like(values) for name, values in wanted.items()}
    return wanted | {f"negative_{name}": values for name, values in unwanted.items()}


def _encoders(pipe: Any) -> list[tuple[Any, Any]]:
    """The pipeline's tokenizers with their encoders."""
    pairs = [
        (getattr(pipe, f"tokenizer{end}", None), getattr(pipe, f"text_encoder{end}", None))
        for end in ("", "_2")
    ]
    return [(tokens, encoder) for tokens, encoder in pairs if tokens is not None]


def _windows(tokens: Any, text: str) -> list[list[int]]:
    """The text's tokens, without the special ones, in windows: at least one."""
    room = tokens.model_max_length - SPECIAL_TOKENS
    ids = tokens(text, add_special_tokens=False, truncation=False, verbose=False).input_ids
    return [ids[start : start + room] for start in range(0, max(1, len(ids)), room)]


def _encode(
    encoders: Sequence[tuple[Any, Any]], text: str, count: int, device: torch.device
) -> dict[str, torch.Tensor]:
    """The states of `count` windows of a text; missing ones are empty."""
    states, pooled = [], None
    for tokens, encoder in encoders:
        windows = _windows(tokens, text)[:count]
        ids = _padded(tokens, [*windows, *([[]] * (count - len(windows)))]).to(device)
        output = encoder(ids, output_hidden_states=True)
        # Two encoders mean SDXL, which reads the states before the last layer.
        hidden = output.hidden_states[-2] if len(encoders) > 1 else output[0]
        states.append(hidden.reshape(1, -1, hidden.shape[-1]))
        pooled = output[0][:1] if output[0].ndim == 2 else pooled
    found = {"prompt_embeds": torch.cat(states, dim=-1)}
    return found if pooled is None else found | {"pooled_prompt_embeds": pooled}


def _padded(tokens: Any, windows: Sequence[Sequence[int]]) -> torch.Tensor:
    """Windows as the tokenizer pads them, with the tokens of start and end."""
    length = tokens.model_max_length
    rows = [[tokens.bos_token_id, *window, tokens.eos_token_id] for window in windows]
    return torch.tensor([row + [tokens.pad_token_id] * (length - len(row)) for row in rows])
