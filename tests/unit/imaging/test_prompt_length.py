"""What a model reads of a prompt, compared with the real tokenizer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from imaging.profiles import POSTCARD_FOLDER, profile_for
from imaging.prompt_length import PromptLimit, folder_limit
from tests.unit.bots.core.test_prompts_as_people_write_them import cases


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(str(POSTCARD_FOLDER / "tokenizer"))


@pytest.fixture(scope="module")
def limit() -> PromptLimit:
    found = folder_limit(POSTCARD_FOLDER)
    assert found is not None
    return found


def test_tokens_are_counted_as_the_tokenizer_counts_them(
    tokenizer: CLIPTokenizer, limit: PromptLimit
) -> None:
    assert limit.tokens == tokenizer.model_max_length
    prompts = [case.text for case in cases()]
    counted = {text: limit.count(text) for text in prompts}
    real = {text: len(tokenizer(text).input_ids) - 2 for text in prompts}
    assert counted == real


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=40))
@example("Aİ!")
def test_any_text_is_counted_as_the_tokenizer_counts_it(text: str) -> None:
    found = folder_limit(POSTCARD_FOLDER)
    assert found is not None
    tokenizer = CLIPTokenizer.from_pretrained(str(POSTCARD_FOLDER / "tokenizer"))
    assert found.count(text) == len(tokenizer(text).input_ids) - 2


def test_end_that_is_not_read_is_named_from_its_first_word(limit: PromptLimit) -> None:
    assert limit.unread("a red house left of a green tree") == ""
    words = "a red house " * 13
    unread = limit.unread(f"{words.strip()} and a blue boat")
    assert unread == "house and a blue boat"
    assert limit.count(words.strip()) == 39  # of 38 that are read


def test_named_models_have_their_limits() -> None:
    assert profile_for("postcard").prompt_limit == folder_limit(POSTCARD_FOLDER)
    assert profile_for("sdxl").prompt_limit == PromptLimit(4 * 75 + 2)
    assert profile_for("HiDream-ai/HiDream-I1-Full").prompt_limit == PromptLimit(128)
    assert profile_for("flux2-klein").prompt_limit is None


def test_estimate_grows_with_the_words() -> None:
    assert PromptLimit(77).unread("a small red house by the sea") == ""
    assert PromptLimit(77).unread("house " * 80).startswith("house")


@pytest.mark.parametrize("config", ["", "{}", '{"model_max_length": 1e30}', "[1]"])
def test_folder_that_tells_no_limit_has_none(tmp_path: Path, config: str) -> None:
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer" / "tokenizer_config.json").write_text(config)
    assert folder_limit(tmp_path) is None
