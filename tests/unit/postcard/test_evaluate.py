"""The evaluation's table, with an untrained detector: what is asked and what is printed."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from imaging.postcard import evaluate, pipelines
from imaging.postcard.contact_sheet import ACROSS, COUNT, GAP, contact_sheet, sheet_prompts
from imaging.postcard.detector import Detector
from imaging.postcard.handwritten import written_prompts
from imaging.postcard.pipelines import defaults


@pytest.fixture
def untrained_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """A detector that says anything, and pictures of two steps, of which it says as much."""
    torch.manual_seed(0)
    detector = Detector().eval()
    monkeypatch.setattr(evaluate, "train_detector", lambda _folder: detector)
    monkeypatch.setattr(pipelines, "defaults", lambda weights: {**defaults(weights), "steps": 2})


@pytest.mark.usefixtures("untrained_detector")
def test_one_command_prints_every_row_and_writes_the_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = Image.new("RGB", (8, 8))
    monkeypatch.setattr(evaluate, "contact_sheet", lambda _generate: sheet)
    path = tmp_path / "figures.json"
    evaluate.main(["--prompts", "2", "--json", str(path)])
    figures = json.loads(path.read_text(encoding="utf-8"))
    assert set(figures["table"]) == {"postcard", "untrained", "drawn"}
    rows = figures["table"]["postcard"]
    printed = capsys.readouterr().out
    for row in ("pairs", "places and counts", "16:9: pairs", "edits", "written: all as named"):
        assert 0 <= rows[row] <= 1, row
        assert row in printed
    assert figures["written_prompts"] == 2
    assert Image.open(tmp_path / "figures.jpg").size == (8, 8)


@pytest.mark.usefixtures("untrained_detector")
def test_the_brief_table_has_the_model_alone() -> None:
    figures = evaluate.run(None, 1, brief=True)
    table = figures["table"]
    assert isinstance(table, dict)
    assert set(table) == {"postcard"}
    assert "written: all as named" in table["postcard"]
    assert "edits" not in table["postcard"]
    assert figures["candidates"] == 3
    plain = evaluate.run(None, 1, brief=True, plain=True)
    assert plain["candidates"] == 1


def test_the_suite_grows_with_its_number_and_half_of_it_is_french() -> None:
    suite = evaluate.suite_of(60)
    assert (len(suite.prompts), len(suite.edits), len(suite.written)) == (60, 20, 60)
    assert {aspect: len(asked) for aspect, asked in suite.long.items()} == {"16:9": 12, "9:16": 12}
    assert sum(written.language == "fr" for _, written in suite.written) in range(25, 36)
    assert len(suite.floor().prompts) < len(suite.prompts)


def test_the_contact_sheet_leaves_no_seed_out() -> None:
    made: list[tuple[str, int]] = []

    def generate(prompts: list[str], seeds: list[int]) -> list[Image.Image]:
        made.extend(zip(prompts, seeds, strict=True))
        return [Image.new("RGB", (10, 12), "red")] * len(prompts)

    sheet = contact_sheet(generate)
    assert [seed for _, seed in made] == list(range(64))
    assert [prompt for prompt, _ in made] == sheet_prompts()
    assert set(sheet_prompts()) <= {written.prompt for written in written_prompts()}
    rows = COUNT // ACROSS
    assert sheet.size == (ACROSS * (10 + GAP) + GAP, rows * (12 + GAP) + GAP)
    assert sheet.getpixel((GAP, GAP)) == (255, 0, 0)
    assert sheet.getpixel((0, 0)) == (255, 255, 255)
