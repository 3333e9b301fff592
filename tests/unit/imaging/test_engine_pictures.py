"""Real pictures from the bundled model, through the real diffusers, for every operation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imaging.engine.composition import fitted
from imaging.engine.engine import Engine
from imaging.errors import RenderCancelled, Unsupported
from imaging.profiles import Profile
from imaging.provenance import SourceType, read_provenance
from imaging.request import FinishedPicture, ImageRequest, Operation, Progress, Stage
from tests.unit.imaging.pictures import difference, disc, opened, order

Store = dict[str, bytes]


def wish(
    profile: Profile, operation: Operation = Operation.IMAGINE, **changes: Any
) -> ImageRequest:
    width, height = profile.size("1:1")
    values = {"profile": profile.name, "width": width, "height": height, **changes}
    return order(operation, **values)


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
def test_every_operation_gives_pictures_with_their_origin(
    studio_engine: Engine, postcard: Profile, changes: dict[str, Any], origin: SourceType
) -> None:
    request = wish(postcard, count=2, steps=4, **changes)
    pictures = studio_engine.submit(request).result(120)
    assert [picture.seed for picture in pictures] == [7, 8]
    assert pictures[0].data != pictures[1].data
    for picture in pictures:
        image = opened(picture.data)
        assert image.mode == "RGB"
        assert image.size == (request.width, request.height)
        assert np.asarray(image).std() > 0
        told = read_provenance(picture.data)
        assert told is not None
        assert (told.operation, told.model, told.seed) == (
            request.operation,
            "postcard",
            picture.seed,
        )
        assert (told.source_type, told.steps) == (origin, 4)


def test_a_seed_gives_the_same_picture_again_and_another_seed_another(
    studio_engine: Engine, postcard: Profile
) -> None:
    one, again, other = (
        studio_engine.submit(wish(postcard, seed=seed, steps=3)).result(120)[0]
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
def test_a_picture_of_a_batch_is_the_picture_made_alone(
    studio_engine: Engine, postcard: Profile, changes: dict[str, Any]
) -> None:
    batch = studio_engine.submit(wish(postcard, seed=40, count=4, steps=4, **changes)).result(120)
    for k in (0, 3):
        (alone,) = studio_engine.submit(wish(postcard, seed=40 + k, steps=4, **changes)).result(120)
        assert difference(opened(alone.data), opened(batch[k].data)) < 1


def test_the_prompt_and_the_negative_prompt_matter(
    studio_engine: Engine, postcard: Profile
) -> None:
    plain, reworded, without = (
        studio_engine.submit(wish(postcard, steps=3, **changes)).result(120)[0].data
        for changes in ({}, {"prompt": "a blue boat at night"}, {"negative": "house"})
    )
    assert len({plain, reworded, without}) == 3


@pytest.mark.parametrize("aspect", ["3:2", "2:3", "4:5", "16:9", "9:16"])
def test_every_aspect_is_painted_at_its_size(
    studio_engine: Engine, postcard: Profile, aspect: str
) -> None:
    width, height = postcard.size(aspect)
    (picture,) = studio_engine.submit(wish(postcard, width=width, height=height, steps=2)).result(
        120
    )
    assert opened(picture.data).size == (width, height)


@pytest.mark.parametrize("operation", [Operation.IMAGINE, Operation.VARY, Operation.EDIT])
def test_an_odd_size_is_given_to_the_pixel(
    studio_engine: Engine, postcard: Profile, operation: Operation
) -> None:
    sources = () if operation is Operation.IMAGINE else ("disc",)
    width, height = (side - 5 for side in postcard.size("1:1"))
    request = wish(postcard, operation, width=width, height=height, steps=2, sources=sources)
    (picture,) = studio_engine.submit(request).result(120)
    assert opened(picture.data).size == (width, height)


def test_a_variation_is_the_nearer_to_its_source_the_lower_its_strength(
    studio_engine: Engine, postcard: Profile
) -> None:
    far = [
        difference(
            opened(
                studio_engine.submit(
                    wish(postcard, Operation.VARY, sources=("disc",), strength=strength)
                )
                .result(120)[0]
                .data
            ),
            disc(postcard.size("1:1")),
        )
        for strength in (0.0, 1.0)
    ]
    assert far[0] < far[1]


def test_outside_the_mask_not_one_bit_changes(studio_engine: Engine, postcard: Profile) -> None:
    request = wish(postcard, Operation.FILL, sources=("disc",), mask="mask", count=2)
    source = np.asarray(disc(postcard.size("1:1")))
    middle = source.shape[1] // 2
    for picture in studio_engine.submit(request).result(120):
        image = np.asarray(opened(picture.data))
        assert (image[:, middle:] == source[:, middle:]).all()
        assert (image[:, :middle] != source[:, :middle]).any()


@pytest.mark.parametrize("steps", [1, 7, 49])
@pytest.mark.parametrize("operation", [Operation.VARY, Operation.FILL, Operation.BLEND])
def test_at_no_strength_one_step_is_taken(
    studio_engine: Engine, postcard: Profile, operation: Operation, steps: int
) -> None:
    sources = ("disc", "bars") if operation is Operation.BLEND else ("disc",)
    mask = "mask" if operation is Operation.FILL else None
    request = wish(postcard, operation, sources=sources, mask=mask, strength=0.0, steps=steps)
    rendering = studio_engine.submit(request)
    assert len(rendering.result(120)) == 1
    assert rendering.progress.steps == 1


def test_a_source_of_another_shape_is_cut_to_the_order(
    studio_engine: Engine, postcard: Profile, stored: Store
) -> None:
    from tests.unit.imaging.pictures import file_of

    wide = disc((300, 90))
    stored["wide"] = file_of(wide)
    request = wish(postcard, Operation.VARY, sources=("wide",), strength=0.0)
    (picture,) = studio_engine.submit(request).result(120)
    size = postcard.size("1:1")
    assert opened(picture.data).size == size
    assert fitted(wide, size).size == size


def test_every_step_is_told_and_previews_are_pictures(
    studio_engine: Engine, postcard: Profile
) -> None:
    rendering = studio_engine.submit(wish(postcard, count=2, steps=10))
    seen: list[Progress] = list(rendering.updates())
    rendering.result(120)
    assert rendering.progress.preview is not None
    steps = [progress for progress in seen if progress.stage is Stage.STEPS]
    assert [progress.step for progress in steps] == sorted({progress.step for progress in steps})
    assert {progress.steps for progress in steps} == {10}
    previews = [progress.preview for progress in seen if progress.preview]
    assert len(previews) <= 4
    for preview in previews:
        image = opened(preview)
        assert image.format == "JPEG"
        assert max(image.size) <= 256
        assert image.width == 2 * image.height  # the two pictures side by side


def test_nobody_looks_so_nothing_is_shown(studio_engine: Engine, postcard: Profile) -> None:
    rendering = studio_engine.submit(wish(postcard), previews=False)
    rendering.result(120)
    assert rendering.progress.preview is None


def test_steps_left_out_by_the_strength_are_not_counted(
    studio_engine: Engine, postcard: Profile
) -> None:
    request = wish(postcard, Operation.VARY, sources=("disc",), strength=0.5, steps=10)
    rendering = studio_engine.submit(request)
    rendering.result(120)
    assert (rendering.progress.step, rendering.progress.steps) == (5, 5)


def test_a_picture_is_cancelled_in_the_middle_and_the_next_is_made(
    studio_engine: Engine, postcard: Profile
) -> None:
    rendering = studio_engine.submit(wish(postcard, steps=200, count=4))
    for progress in rendering.updates():
        if progress.step >= 2:
            rendering.cancel()
    with pytest.raises(RenderCancelled):
        rendering.result(120)
    following: tuple[FinishedPicture, ...] = studio_engine.submit(wish(postcard)).result(120)
    assert len(following) == 1
    told = read_provenance(following[0].data)
    assert told is not None
    assert (told.steps, told.guidance) == (postcard.steps, postcard.guidance)
    assert rendering.progress.step < 200
    assert studio_engine.load().running == 0


def test_rates_are_measured_by_kind(studio_engine: Engine, postcard: Profile) -> None:
    width, height = postcard.size("1:1")
    studio_engine.submit(wish(postcard, steps=3)).result(120)
    kinds = {
        (rate.profile, rate.operation, rate.width, rate.height, rate.steps)
        for rate in studio_engine.rates()
    }
    assert ("postcard", Operation.IMAGINE, width, height, 3) in kinds
    assert all(rate.seconds > 0 for rate in studio_engine.rates())


def test_a_profile_without_an_editing_model_says_so(postcard: Profile) -> None:
    from dataclasses import replace

    from imaging.engine.checks import check_request

    plain = replace(postcard, edit=None, operations=postcard.operations - {Operation.EDIT})
    with pytest.raises(Unsupported, match="postcard cannot edit"):
        check_request(wish(plain, Operation.EDIT, sources=("disc",)), plain)
