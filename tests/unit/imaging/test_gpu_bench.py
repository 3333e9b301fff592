"""The GPU benchmark, tried on a CPU with tiny models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imaging.bench import gpu
from imaging.bench.gpu_models import CASES, TINY_SIDE, Case, build_network, inputs_for

SMALL = (CASES[0], CASES[2])
KEYS = {
    "step_ms",
    "peak_share",
    "images_per_second",
    "paid_first_step_ms",
    "cancel_ms",
    "memory_gib",
    "step_ms_compiled",
}


def test_tiny_cases_print_every_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(gpu, "CASES", SMALL)
    monkeypatch.setattr(gpu, "BATCHES", (1, 8))
    file = tmp_path / "figures.json"
    gpu.main([str(file), "--tiny"])
    found = json.loads(file.read_text("utf-8"))
    assert set(found) == {"device", "tiny", "peak_tflops", "sd15@512", "flux2-klein@512"}
    for case in SMALL:
        figures = found[f"{case.name}@{case.side}"]
        assert set(figures) == KEYS
        assert set(figures["images_per_second"]) == set(figures["peak_share"]) == {"1", "8"}
    assert "sd15@512" in capsys.readouterr().out


def test_case_without_time_left_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "CASES", SMALL)
    figures = gpu.run(0.0, tiny=True)
    assert [figures[f"{case.name}@{case.side}"] for case in SMALL] == [gpu.NOT_MEASURED] * 2


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.side}")
def test_inputs_fit_every_network(case: Case) -> None:
    import torch

    device, dtype = torch.device("cpu"), torch.float32
    network = build_network(case, device, dtype, tiny=True)
    with torch.no_grad():
        (output,) = network(**inputs_for(case, 2, device, dtype, tiny=True))
    assert len(output) == 2 * case.samples
    assert output.shape[-2:].numel() >= (TINY_SIDE // 16) ** 2
