import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.errors import ModelUnavailable, UnknownProfile, Unsupported
from imaging.profiles import CHECKER, NAMED, POSTCARD_FOLDER, names, profile_for
from imaging.request import Operation
from imaging.sizes import ASPECTS


@pytest.mark.parametrize("name", names())
def test_every_named_profile_supports_every_aspect(name: str) -> None:
    profile = profile_for(name)
    assert profile.name == name
    for aspect in ASPECTS:
        width, height = profile.size(aspect)
        assert width % profile.multiple == height % profile.multiple == 0
        assert width * height <= profile.largest_pixels
    assert Operation.IMAGINE in profile.operations
    assert (Operation.EDIT in profile.operations) == (profile.edit is not None)


@pytest.mark.parametrize("name", names())
@given(width=st.integers(1, 12_000), height=st.integers(1, 12_000))
def test_edit_size_respects_model_limits(name: str, width: int, height: int) -> None:
    profile = profile_for(name)
    wide, high = profile.size_of_edit((width, height))
    assert wide % profile.multiple == high % profile.multiple == 0
    assert wide * high <= profile.largest_pixels
    assert wide * high >= profile.native_area * 0.6
    if 0.3 < width / height < 3.3 and (width > height * 1.3 or height > width * 1.3):
        assert (wide > high) == (width > height)


def test_postcard_profile_is_read_from_its_folder() -> None:
    profile = profile_for("postcard")
    told = json.loads((POSTCARD_FOLDER / "atelier.json").read_text("utf-8"))
    assert profile.steps == told["steps"]
    assert profile.guidance == told["guidance"]
    assert profile.size("3:2") == tuple(told["aspects"]["3:2"])
    assert profile.edit == str(POSTCARD_FOLDER / "edit")


def test_megapixel_limit_shrinks_size_and_keeps_aspect() -> None:
    profile = profile_for("sdxl")
    assert profile.size_within("16:9", 4.0) == profile.size("16:9")
    width, height = profile.size_within("16:9", 0.5)
    assert width * height <= 500_000
    assert 1.5 < width / height < 2


def test_folder_profile_uses_values_from_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "landscapes"
    (folder / "vae").mkdir(parents=True)
    (folder / "unet").mkdir()
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    (folder / "vae/config.json").write_text('{"block_out_channels": [1, 2, 3, 4]}')
    (folder / "unet/config.json").write_text('{"block_out_channels": [1, 2], "sample_size": 32}')
    profile = profile_for(str(folder))
    assert profile.name == "landscapes"
    assert profile.source == str(folder)
    assert profile.multiple == 16
    assert profile.size("1:1") == (256, 256)
    assert profile.guidance == 7.5
    assert profile.edit is None

    (folder / "atelier.json").write_text(
        '{"steps": 5, "aspects": {"1:1": [320, 320]}, "edit_guidance": 2.5}'
    )
    changed = profile_for(str(folder))
    assert changed.guidance_of(Operation.IMAGINE) == profile.guidance_of(Operation.EDIT) == 7.5
    assert changed.guidance_of(Operation.EDIT) == 2.5
    assert changed.steps == 5
    assert changed.size("1:1") == (320, 320)


def test_hub_id_resolves_to_profile_or_named_profile() -> None:
    assert profile_for("someone/their-model").source == "someone/their-model"
    assert profile_for("Tongyi-MAI/Z-Image-Turbo").name == "z-image-turbo"


@pytest.mark.parametrize("name", ["dall-e", "", "/no/such/folder", "a/b/c", "../x"])
def test_unknown_model_error_lists_alternatives(name: str) -> None:
    with pytest.raises(UnknownProfile, match="postcard"):
        profile_for(name)


@pytest.mark.parametrize("index", [None, "{", "[]"])
def test_folder_without_readable_index_is_rejected(tmp_path: Path, index: str | None) -> None:
    if index is not None:
        (tmp_path / "model_index.json").write_text(index)
    with pytest.raises(ModelUnavailable, match=r"model_index\.json"):
        profile_for(str(tmp_path))


@pytest.mark.parametrize(
    "told",
    ['{"aspects": {"1:1": 64}}', '{"steps": "few"}', '{"multiple": -1}', '{"dtype": "int8"}'],
)
def test_invalid_override_error_names_the_file(tmp_path: Path, told: str) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    (tmp_path / "atelier.json").write_text(told)
    with pytest.raises(ModelUnavailable, match=r"atelier\.json"):
        profile_for(str(tmp_path))


def test_unknown_override_keys_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    (tmp_path / "atelier.json").write_text('{"steps": 3, "mood": "cheerful"}')
    assert profile_for(str(tmp_path)).steps == 3


@pytest.mark.parametrize("aspect", ["9:2", "1:5", "0:1", "1:0", "wide", "-4:3", "nan:1"])
def test_aspect_outside_the_range_is_unsupported(aspect: str) -> None:
    with pytest.raises(Unsupported, match="from 1:4 to 4:1"):
        profile_for("postcard").size(aspect)


@pytest.mark.parametrize("name", ["postcard", "sdxl", "flux2-klein"])
@pytest.mark.parametrize("aspect", ["4:3", "7:5", "21:9", "1:4", "4:1", "5:7", "47:20"])
def test_any_aspect_has_a_size_of_the_native_area(name: str, aspect: str) -> None:
    profile = profile_for(name)
    width, height = profile.size(aspect)
    wide, high = map(int, aspect.split(":"))
    assert width % profile.multiple == height % profile.multiple == 0
    assert width * height <= profile.largest_pixels
    tolerance = 2 * profile.multiple / min(width, height)
    assert abs(width / height / (wide / high) - 1) < tolerance
    assert abs(width * height / profile.native_area - 1) < 2 * tolerance


def test_modules_imported_by_bots_do_not_import_torch() -> None:
    modules = ["profiles", "formats", "provenance", "safety", "errors", "request"]
    imports = "; ".join(f"import imaging.{name}" for name in modules)
    engine = "import imaging.engine.step_scheduler, imaging.engine.engine"
    script = f"import sys; {imports}; {engine}; print([m for m in sys.modules if m in HEAVY])"
    heavy = "HEAVY = {'torch', 'diffusers', 'transformers', 'numpy'}; "
    done = subprocess.run(
        [sys.executable, "-c", heavy + script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [*NAMED, "someone/their-model"])
def test_every_hub_model_has_a_picture_checker(name: str) -> None:
    assert profile_for(name).checker == CHECKER


@pytest.mark.parametrize(
    ("overrides", "checker"),
    [
        ({}, CHECKER),
        ({"checker": "off"}, None),
        ({"checker": "someone/checker"}, "someone/checker"),
    ],
)
def test_folder_model_has_a_checker_unless_it_is_off_by_name(
    tmp_path: Path, overrides: dict[str, str], checker: str | None
) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    (tmp_path / "atelier.json").write_text(json.dumps(overrides))
    assert profile_for(str(tmp_path)).checker == checker


def test_folder_model_uses_its_own_safety_checker(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    (tmp_path / "safety_checker").mkdir()
    assert profile_for(str(tmp_path)).checker == str(tmp_path)
