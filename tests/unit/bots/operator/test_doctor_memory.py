"""What the doctor says about memory and licences, on cards that this machine does not have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bots.operator.doctor_checks.finding import Level
from bots.operator.doctor_checks.licence import check_licence
from bots.operator.doctor_checks.memory import check_memory, supposed_card
from imaging.bench.tiny_models import model_folder
from imaging.memory_plan import GIGABYTE, Card
from imaging.model_needs import needs_of, weight_counts
from imaging.profiles import profile_for
from tasks.jobs.tiers import DoorState
from tasks.policy.config import Policy, load

HOST = 64 * GIGABYTE


def card(gb: float, *, quantises: bool = False, host: int = HOST) -> Card:
    return replace(supposed_card(gb), host_free=host, quantises=quantises)


@pytest.mark.parametrize(
    ("model", "quantises", "plan", "level"),
    [
        ("sdxl", False, "plan offload-model", Level.OK),
        ("qwen-image", False, "plan offload-group", Level.WARN),
        ("sd15", False, "plan whole", Level.OK),
    ],
)
def test_plan_of_a_card_of_8_gb_is_named(
    model: str, quantises: bool, plan: str, level: Level
) -> None:
    findings = list(check_memory(profile_for(model), card(8, quantises=quantises)))
    assert findings
    for finding in findings:
        assert plan in finding.text
        assert "8.0 GB card" in finding.text
        assert finding.level is level


def test_what_would_help_is_said() -> None:
    (first, *_) = check_memory(profile_for("qwen-image"), card(16))
    assert "bitsandbytes" in first.fix
    (first, *_) = check_memory(profile_for("qwen-image"), card(16, quantises=True))
    assert "plan 4-bit" in first.text
    (first, *_) = check_memory(profile_for("qwen-image"), card(8, host=GIGABYTE))
    assert first.level is Level.FAIL
    assert "host" in first.fix


def test_weights_are_counted_in_the_files_that_are_here(tmp_path: Path) -> None:
    folder = model_folder("sdxl", tmp_path / "sdxl")
    from imaging.bench.tiny_models import make_pipeline

    pipe = make_pipeline("sdxl")
    counts = weight_counts(folder)
    for name in ("unet", "vae", "text_encoder", "text_encoder_2"):
        part = getattr(pipe, name)
        assert counts[name] == sum(one.numel() for one in part.state_dict().values())
    profile = profile_for(str(folder))
    needs = needs_of(profile, profile.source)
    assert needs is not None
    assert needs.total == 2 * sum(counts.values())
    assert needs.pixels == profile.native_area


def test_variant_is_not_counted_twice_and_damage_is_no_error(tmp_path: Path) -> None:
    folder = model_folder("sd15", tmp_path / "sd15")
    before = weight_counts(folder)
    weights = next((folder / "unet").glob("*.safetensors"))
    weights.with_name("diffusion_pytorch_model.fp16.safetensors").write_bytes(weights.read_bytes())
    assert weight_counts(folder) == before
    (folder / "unet" / "more.safetensors").write_bytes(b"\xff" * 20)
    assert weight_counts(folder) == before


def test_size_of_an_unknown_model_is_not_guessed() -> None:
    (finding,) = check_memory(profile_for("someone/their-model"), card(8))
    assert finding.level is Level.WARN
    assert "not known" in finding.text


def closed(policy: Policy) -> Policy:
    tiers = {
        tier: replace(row, doors=DoorState.CLOSED) if tier.paid else row
        for tier, row in policy.tiers.items()
    }
    return replace(policy, tiers=tiers)


def test_licence_that_forbids_paid_use_warns_while_a_paid_tier_is_open() -> None:
    policy = load(None)
    (warned,) = check_licence(profile_for("black-forest-labs/FLUX.1-dev"), policy)
    assert warned.level is Level.WARN
    assert "forbids paid use" in warned.text
    assert "https://" in warned.fix
    (silent,) = check_licence(profile_for("black-forest-labs/FLUX.1-dev"), closed(policy))
    assert silent.level is Level.OK
    (free,) = check_licence(profile_for("flux1-schnell"), policy)
    assert free.level is Level.OK
    assert "Apache" in free.text
