"""A GGUF file replaces the denoiser of its base model, and stays quantised."""

from __future__ import annotations

import io
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from PIL import Image

from imaging.bench.tiny_models import model_folder
from imaging.engine.checkpoints import open_model
from imaging.engine.engine import Engine
from imaging.engine.settings import EngineSettings
from imaging.local_models import LocalModel
from imaging.model_files import ModelFiles
from imaging.profiles import Profile
from imaging.request import ImageRequest, Operation

BLOCK = 32  # weights of a row that share a scale


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(5)
    return model_folder("flux1", tmp_path_factory.mktemp("flux1"))


def quantised(folder: Path, path: Path) -> Path:
    """The folder's transformer with 8 bits a weight, where a row is long enough."""
    transformer = DiffusionPipeline.from_pretrained(str(folder)).transformer
    writer = gguf.GGUFWriter(str(path), "flux")
    for name, tensor in transformer.state_dict().items():
        data = tensor.float().numpy()
        if data.ndim == 2 and data.shape[1] % BLOCK == 0:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quantize(data, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def profile(source: Path, base: Path | None = None) -> Profile:
    files = ModelFiles(base=str(base) if base else None)
    changes = {"checker": "off", "steps": 3}
    return LocalModel("tiny", "atelier.toml, line 1", str(source), "", files, changes).profile()


def draw(model: Profile) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    engine = Engine([model], lambda name: b"", EngineSettings(device="cpu", strict=True))
    try:
        asked = ImageRequest(Operation.IMAGINE, "a red star", model.name, 64, 64, seed=3)
        (picture,) = engine.submit(asked).result(200)
    finally:
        engine.stop()
    return np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGB"), dtype=np.int16)


def test_gguf_draws_nearly_the_picture_of_its_base(folder: Path, tmp_path: Path) -> None:
    file = quantised(folder, tmp_path / "tiny.gguf")
    model = profile(file, folder)
    assert model.family == "FluxPipeline"
    assert np.abs(draw(model) - draw(profile(folder))).max() <= 8
    pipe = open_model(model, model.source, torch.float32)
    kinds = {type(weight).__name__ for weight in pipe.transformer.parameters()}
    assert "GGUFParameter" in kinds
