"""Every operation on the bundled model with the real diffusers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imaging.engine.compositing import cover
from imaging.engine.engine import Engine
from imaging.errors import RenderCancelled, Unsupported
from imaging.profiles import Profile
from imaging.provenance import SourceType, read_provenance
from imaging.request import FinishedPicture, ImageRequest, Operation, Progress, Stage
from tests.unit.imaging.pictures import disc, make_request, mean_difference, open_image

Store = dict[str, bytes]


def postcard_request(
    profile: Profile, operation: Operation = Operation.IMAGINE, **changes: Any
) -> ImageRequest:
    width, height = profile.size("1:1")
    values = {"profile": profile.name, "width": width, "height": height, **changes}
    return make_request(operation, **values)


@pytest.mark.parametrize(
    ("changes", "origin"),
    [
        ({"operation": Operation.IMAGINE}, SourceType.MADE),
        ({"operation": Operation.IMAGINE, "sources": ("disc",)}, SourceType.EDITED),
        ({"operation": Operation.VARY, "sources": ("disc",)}, SourceType.EDITED),
        ({"operation": Operation.EDIT, "sources": ("disc",)}, SourceType.EDITED),
        ({"operation": Operation.FILL, "sources": ("disc",), "mask": "mask"}, SourceType.EDITED),
        ({"operation": Operation.BLEND, "sources": ("disc", "bars")}, SourceType.EDITED),
        ({"operation": Operation.BLEND, "sources": ("disc",) * 4}, SourceType.EDITED),
    ],
)
def test_every_operation_returns_pictures_with_provenance(
    warm_engine: Engine, postcard: Profile, changes: dict[str, Any], origin: SourceType
) -> None:
    request = postcard_request(postcard, count=2, steps=4, **changes)
    pictures = warm_engine.submit(request).result(120)
    assert [picture.seed for picture in pictures] == [7, 8]
    assert pictures[0].data != pictures[1].data
    for picture in pictures:
        image = open_image(picture.data)
        assert image.mode == "RGB"
        assert image.size == (request.width, request.height)
        assert np.asarray(image).std() > 0
        provenance = read_provenance(picture.data)
        assert provenance is not None
        assert (provenance.operation, provenance.model, provenance.seed) == (
            request.operation,
            "postcard",
            picture.seed,
        )
        assert (provenance.source_type, provenance.steps) == (origin, 4)


def test_same_seed_reproduces_picture_and_other_seed_differs(
    warm_engine: Engine, postcard: Profile
) -> None:
    one, again, other = (
        warm_engine.submit(postcard_request(postcard, seed=seed, steps=3)).result(120)[0]
        for seed in (5, 5, 6)
    )
    assert one.data == again.data
    assert one.data != other.data


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"operation": Operation.VARY, "sources": ("disc",)},
        {"operation": Operation.EDIT, "sources": ("disc",)},
        {"operation": Operation.FILL, "sources": ("disc",), "mask": "mask"},
    ],
)
def test_picture_in_batch_equals_picture_rendered_alone(
    warm_engine: Engine, postcard: Profile, changes: dict[str, Any]
) -> None:
    batch = warm_engine.submit(
        postcard_request(postcard, seed=40, count=4, steps=4, **changes)
    ).result(120)
    for k in (0, 3):
        (alone,) = warm_engine.submit(
            postcard_request(postcard, seed=40 + k, steps=4, **changes)
        ).result(120)
        assert mean_difference(open_image(alone.data), open_image(batch[k].data)) < 1


def test_prompt_and_negative_prompt_change_the_picture(
    warm_engine: Engine, postcard: Profile
) -> None:
    def render(**changes: str) -> bytes:
        request = postcard_request(postcard, Operation.IMAGINE, steps=3, **changes)
        return warm_engine.submit(request).result(120)[0].data

    plain, reworded = render(), render(prompt="a blue boat at night")
    without = render(negative="house")
    assert len({plain, reworded, without}) == 3


@pytest.mark.parametrize("aspect", ["3:2", "2:3", "4:5", "16:9", "9:16"])
def test_every_aspect_is_rendered_at_its_size(
    warm_engine: Engine, postcard: Profile, aspect: str
) -> None:
    width, height = postcard.size(aspect)
    (picture,) = warm_engine.submit(
        postcard_request(postcard, width=width, height=height, steps=2)
    ).result(120)
    assert open_image(picture.data).size == (width, height)


@pytest.mark.parametrize("operation", [Operation.IMAGINE, Operation.VARY, Operation.EDIT])
def test_odd_sizes_are_returned_exactly(
    warm_engine: Engine, postcard: Profile, operation: Operation
) -> None:
    sources = () if operation is Operation.IMAGINE else ("disc",)
    width, height = (side - 5 for side in postcard.size("1:1"))
    request = postcard_request(
        postcard, operation, width=width, height=height, steps=2, sources=sources
    )
    (picture,) = warm_engine.submit(request).result(120)
    assert open_image(picture.data).size == (width, height)


def test_lower_strength_keeps_variation_closer_to_source(
    warm_engine: Engine, postcard: Profile
) -> None:
    far = [
        mean_difference(
            open_image(
                warm_engine.submit(
                    postcard_request(postcard, Operation.VARY, sources=("disc",), strength=strength)
                )
                .result(120)[0]
                .data
            ),
            disc(postcard.size("1:1")),
        )
        for strength in (0.0, 1.0)
    ]
    assert far[0] < far[1]


def test_fill_keeps_pixels_outside_mask_unchanged(warm_engine: Engine, postcard: Profile) -> None:
    request = postcard_request(postcard, Operation.FILL, sources=("disc",), mask="mask", count=2)
    source = np.asarray(disc(postcard.size("1:1")))
    middle = source.shape[1] // 2
    for picture in warm_engine.submit(request).result(120):
        image = np.asarray(open_image(picture.data))
        assert (image[:, middle:] == source[:, middle:]).all()
        assert (image[:, :middle] != source[:, :middle]).any()


def test_line_of_one_pixel_in_a_mask_is_painted(warm_engine: Engine, postcard: Profile) -> None:
    request = postcard_request(postcard, Operation.FILL, sources=("disc",), mask="line")
    source = np.asarray(disc(postcard.size("1:1")))
    (picture,) = warm_engine.submit(request).result(120)
    changed = (np.asarray(open_image(picture.data)) != source).any(axis=2)
    row = source.shape[0] // 2 + 3
    assert changed[row].mean() > 0.5
    changed[row] = False
    assert not changed.any()


@pytest.mark.parametrize("steps", [1, 7, 49])
@pytest.mark.parametrize("operation", [Operation.VARY, Operation.FILL, Operation.BLEND])
def test_zero_strength_runs_one_step(
    warm_engine: Engine, postcard: Profile, operation: Operation, steps: int
) -> None:
    sources = ("disc", "bars") if operation is Operation.BLEND else ("disc",)
    mask = "mask" if operation is Operation.FILL else None
    request = postcard_request(
        postcard, operation, sources=sources, mask=mask, strength=0.0, steps=steps
    )
    handle = warm_engine.submit(request)
    assert len(handle.result(120)) == 1
    assert handle.progress.steps == 1


def test_source_with_other_aspect_is_cropped_to_request(
    warm_engine: Engine, postcard: Profile, stored: Store
) -> None:
    from tests.unit.imaging.pictures import encode_image

    wide = disc((300, 90))
    stored["wide"] = encode_image(wide)
    request = postcard_request(postcard, Operation.VARY, sources=("wide",), strength=0.0)
    (picture,) = warm_engine.submit(request).result(120)
    size = postcard.size("1:1")
    assert open_image(picture.data).size == size
    assert cover(wide, size).size == size


def test_every_step_is_reported_and_previews_are_jpegs(
    warm_engine: Engine, postcard: Profile
) -> None:
    handle = warm_engine.submit(postcard_request(postcard, count=2, steps=10))
    seen: list[Progress] = list(handle.updates())
    handle.result(120)
    assert handle.progress.preview is not None
    steps = [progress for progress in seen if progress.stage is Stage.STEPS]
    assert [progress.step for progress in steps] == sorted({progress.step for progress in steps})
    assert {progress.steps for progress in steps} == {10}
    previews = [progress.preview for progress in seen if progress.preview]
    assert len(previews) <= 4
    for preview in previews:
        image = open_image(preview)
        assert image.format == "JPEG"
        assert max(image.size) <= 256
        assert image.width == 2 * image.height  # the two pictures side by side


def test_previews_can_be_disabled(warm_engine: Engine, postcard: Profile) -> None:
    handle = warm_engine.submit(postcard_request(postcard), previews=False)
    handle.result(120)
    assert handle.progress.preview is None


def test_steps_skipped_by_strength_are_not_counted(warm_engine: Engine, postcard: Profile) -> None:
    request = postcard_request(postcard, Operation.VARY, sources=("disc",), strength=0.5, steps=10)
    handle = warm_engine.submit(request)
    handle.result(120)
    assert (handle.progress.step, handle.progress.steps) == (5, 5)


def test_cancel_midway_frees_engine_for_next_request(
    warm_engine: Engine, postcard: Profile
) -> None:
    handle = warm_engine.submit(postcard_request(postcard, steps=200, count=4))
    for progress in handle.updates():
        if progress.step >= 2:
            handle.cancel()
    with pytest.raises(RenderCancelled):
        handle.result(120)
    following: tuple[FinishedPicture, ...] = warm_engine.submit(postcard_request(postcard)).result(
        120
    )
    assert len(following) == 1
    provenance = read_provenance(following[0].data)
    assert provenance is not None
    assert (provenance.steps, provenance.guidance) == (postcard.steps, postcard.guidance)
    assert handle.progress.step < 200
    assert warm_engine.load().running == 0


def test_render_times_are_recorded_by_kind(warm_engine: Engine, postcard: Profile) -> None:
    width, height = postcard.size("1:1")
    warm_engine.submit(postcard_request(postcard, steps=3)).result(120)
    kinds = {
        (rate.profile, rate.operation, rate.width, rate.height, rate.steps)
        for rate in warm_engine.render_times()
    }
    assert ("postcard", Operation.IMAGINE, width, height, 3) in kinds
    assert all(rate.seconds > 0 for rate in warm_engine.render_times())


def test_edit_without_editing_model_is_unsupported(postcard: Profile) -> None:
    from dataclasses import replace

    from imaging.engine.validation import check_request

    plain = replace(postcard, edit=None, operations=postcard.operations - {Operation.EDIT})
    with pytest.raises(Unsupported, match="postcard cannot edit"):
        check_request(postcard_request(plain, Operation.EDIT, sources=("disc",)), plain)
