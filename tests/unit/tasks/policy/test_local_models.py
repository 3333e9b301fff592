"""`[models.NAME]` of models that a worker loads: every key, and mistakes with their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from imaging.local_models import Paths
from imaging.model_files import Embedding, HubFile, Lora, WebFile
from imaging.parameters import Parameter
from imaging.request import Operation
from tasks.jobs.tiers import Tier
from tasks.policy.config import PolicyError, load, read
from tasks.policy.model_rules import ANY_MODEL

DIGEST = "ab" * 32
FULL = f"""
[models.dream]
source = "files/dream.safetensors"
base = "sd15"
class = "StableDiffusionPipeline"
steps = 22
guidance = 6.5
guidance_kind = "guidance_scale"
negative = false
side = 768
multiple = 64
sizes = {{ "16:9" = [1024, 576] }}
largest_megapixels = 1.5
strength = 0.5
edit = "timbrooks/instruct-pix2pix"
edit_steps = 12
edit_guidance = 3.0
checker = "off"
dtype = "float16"
memory = "offload-model"
licence = "creativeml-openrail-m"
price = 2.5
tiers = ["plus", "pro"]
upscaler = {{ file = "files/4x.safetensors" }}
loras = [
  {{ file = "files/ink.safetensors", weight = 0.8, trigger = "ink drawing" }},
  {{ hub = "owner/style", file = "style.safetensors", revision = "v2" }},
  {{ url = "https://files.example/a.safetensors", sha256 = "{DIGEST.upper()}" }},
]
embeddings = [{{ file = "files/good.safetensors", token = "<good>" }}]
"""


def test_every_key_is_read(tmp_path: Path) -> None:
    file = tmp_path / "atelier.toml"
    file.write_text(FULL)
    policy = load(file)
    model = policy.local_models["dream"]
    assert (model.source, model.origin) == (
        str(tmp_path / "files/dream.safetensors"),
        f"{file}, line 2",
    )
    assert model.family == "StableDiffusionPipeline"
    assert model.licence == "creativeml-openrail-m"
    assert model.files.upscaler == tmp_path / "files/4x.safetensors"
    assert model.files.base == "stable-diffusion-v1-5/stable-diffusion-v1-5"
    assert model.files.loras == (
        Lora(tmp_path / "files/ink.safetensors", 0.8, "ink drawing"),
        Lora(HubFile("owner/style", "style.safetensors", "v2")),
        Lora(WebFile("https://files.example/a.safetensors", DIGEST)),
    )
    assert model.files.embeddings == (Embedding(tmp_path / "files/good.safetensors", "<good>"),)
    assert not policy.models  # no server's


def test_values_reach_the_profile(tmp_path: Path) -> None:
    text = FULL.replace('"files/dream.safetensors"', '"owner/dream"').replace('base = "sd15"', "")
    profile = read(text).local_models["dream"].profile()
    assert (profile.name, profile.source) == ("dream", "owner/dream")
    assert profile.family == "StableDiffusionPipeline"
    assert (profile.steps, profile.guidance) == (22, 6.5)
    assert (profile.steps_of(Operation.EDIT), profile.guidance_of(Operation.EDIT)) == (12, 3.0)
    assert profile.sizes["16:9"] == (1024, 576)
    assert profile.multiple == 64
    assert profile.largest_pixels == 1_500_000
    assert profile.edit == "timbrooks/instruct-pix2pix"
    assert profile.checker is None
    assert (profile.dtype, profile.memory) == ("float16", "offload-model")
    assert profile.licence == "creativeml-openrail-m"
    assert Parameter.NEGATIVE not in profile.parameters
    assert profile.files.triggers == ("ink drawing",)


def test_profile_has_the_upscaler_whose_file_is_here(tmp_path: Path) -> None:
    file = tmp_path / "atelier.toml"
    file.write_text('[models.sdxl]\nupscaler = { file = "4x.safetensors" }\n')
    near = load(file).local_models["sdxl"]
    assert near.profile().upscaler == str(tmp_path / "4x.safetensors")
    address = "https://files.example/4x.safetensors"
    far = read(
        f'[models.sdxl]\nupscaler = {{ url = "{address}", sha256 = "{DIGEST}" }}\n'
    ).local_models["sdxl"]
    assert far.profile().upscaler is None  # until it is fetched
    fetched: Paths = {WebFile(address, DIGEST): tmp_path / "fetched.safetensors"}
    assert far.profile(fetched).upscaler == str(tmp_path / "fetched.safetensors")


def test_price_and_tiers_are_rules_of_any_kind() -> None:
    policy = read(FULL + '\n[models.far]\nkind = "openai"\nurl = "http://a"\nprice = 3\n')
    rule = policy.model_rules["dream"]
    assert rule.price == 2.5
    refusal = rule.refusal("dream", Tier.FREE)
    assert refusal is not None
    assert (refusal.code, refusal.details["needs"]) == ("model-not-in-tier", "plus")
    assert rule.refusal("dream", Tier.PRO) is None
    assert policy.model_rules["far"].price == 3
    assert policy.model_rules["far"].refusal("far", Tier.FREE) is None
    assert ANY_MODEL.refusal("other", Tier.FREE) is None


def test_registered_model_needs_no_source_and_keeps_its_values() -> None:
    model = read('[models.sdxl-turbo]\nmemory = "whole"\n').local_models["sdxl-turbo"]
    assert not model.announced  # or every worker would download it
    profile = model.profile()
    assert (profile.source, profile.steps, profile.guidance) == ("stabilityai/sdxl-turbo", 4, 0.0)
    assert (profile.memory, profile.files.variant) == ("whole", "fp16")
    assert profile.licence == "sai-nc-community"
    postcard = read("[models.postcard]\nsteps = 9\n").local_models["postcard"].profile()
    assert (postcard.steps, postcard.dtype, postcard.licence) == (9, "float32", "mit")


def test_no_guidance_and_no_edit_model() -> None:
    text = (
        '[models.x]\nsource = "a/b"\nclass = "FluxPipeline"\nguidance_kind = "none"\nedit = false\n'
    )
    profile = read(text).local_models["x"].profile()
    assert profile.guidance_argument == ""
    assert Parameter.GUIDANCE not in profile.parameters
    assert profile.edit is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[models.x]\nsteps = 3", "line 1: models.x.source is missing"),
        (
            '[models.x]\nsource = "a.ckpt"',
            "line 2: models.x.source cannot be used: a.ckpt is a pickle, which can run code",
        ),
        (
            '[models.x]\nsource = "https://a.example/b.safetensors"',
            "models.x.sha256 is missing",
        ),
        (
            '[models.x]\nsource = "https://a.example/b.safetensors"\nsha256 = "12"',
            "line 3: models.x.sha256 is '12'; expected the file's SHA-256",
        ),
        ('[models.x]\nsource = "a/b"\nsha256 = "' + DIGEST + '"', "line 3: models.x.sha256 is for"),
        ('[models.x]\nsource = "./a"\nrevision = "1"', "line 3: models.x.revision is for"),
        ('[models.x]\nsource = "a/b"\nbase = "c/d"', "line 3: models.x.base is for"),
        ('[models.x]\nsource = "flux.gguf"', "models.x.base is missing"),
        ('[models.x]\nsource = "a/b"\nclass = "flux"', "line 3: models.x.class is 'flux'"),
        ('[models.x]\nsource = "a/b"\nsteps = 0', "line 3: models.x.steps is 0; expected greater"),
        (
            '[models.x]\nsource = "a/b"\nguidance_kind = "cfg"',
            "expected 'guidance_scale', 'true_cfg_scale' or 'none'",
        ),
        ('[models.x]\nsource = "a/b"\nmemory = "little"', "line 3: models.x.memory is 'little'"),
        ('[models.x]\nsource = "a/b"\ntiers = ["gold"]', "models.x.tiers.0 is 'gold'"),
        ('[models.x]\nsource = "a/b"\nprice = 0', "line 3: models.x.price is 0"),
        (
            '[models.x]\nsource = "a/b"\nloras = [{ file = "l.pt" }]',
            "line 3: models.x.loras.0 cannot be used: l.pt is a pickle",
        ),
        (
            '[models.x]\nsource = "a/b"\nloras = [{ hub = "c/d" }]',
            "line 3: models.x.loras.0 needs file, hub and file, or url and sha256",
        ),
        (
            '[models.x]\nsource = "a/b"\nloras = [{ name = "l" }]',
            "models.x.loras.0.name is for ComfyUI",
        ),
        (
            '[models.x]\nsource = "a/b"\nmultiple = 64\nsizes = { "1:1" = [1000, 1000] }',
            "line 4: models.x.sizes.1:1 is 1000 × 1000, and both must be multiples of 64",
        ),
        (
            '[models.x]\nsource = "a/b"\nworkflow = "w.json"',
            "line 3: models.x.workflow is not a key of the kind local; expected one of base",
        ),
        ('[models.blank]\nsource = "a/b"', "another name: this one is for benchmarks"),
    ],
)
def test_mistake_names_line_key_and_what_is_expected(text: str, sentence: str) -> None:
    with pytest.raises(PolicyError) as wrong:
        read(text)
    assert sentence in str(wrong.value)
