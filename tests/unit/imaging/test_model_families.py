"""Every pipeline class that Atelier knows: what it claims is drawn, by a model of the true class.

The models are tiny and have random weights. `make test` draws each family's first operation at
every aspect, and its others at two; `make soak` draws all of them at every aspect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from math import log

import numpy as np
import pytest

from imaging.engine.engine import Engine
from imaging.errors import ParameterUnsupported, Unsupported
from imaging.parameters import Parameter
from imaging.pipeline_families import FAMILIES, UNKNOWN_FAMILY
from imaging.profiles import Profile, profile_for
from imaging.request import ImageRequest, Operation
from imaging.sizes import ASPECTS
from tests.unit.imaging.pictures import make_request, mean_difference, open_image
from tests.unit.imaging.tiny_families import (
    FAMILY_MAKERS,
    family_folder,
    make_family,
    small_references,
)

ALL_ASPECTS = (*ASPECTS, "1:4", "4:1")
FEW_ASPECTS = ("4:5", "4:1")
SOURCES: Mapping[Operation, tuple[str, ...]] = {
    Operation.IMAGINE: (),
    Operation.VARY: ("disc",),
    Operation.EDIT: ("disc",),
    Operation.FILL: ("disc",),
    Operation.BLEND: ("disc", "bars"),
}
LARGER_SIDE = {"sana", "sana_sprint", "glm_image", "flux2", "flux2_klein"}
"""Of coarse cells, or with references of at least 64 pixels a side."""


@pytest.fixture(scope="module", params=sorted(FAMILY_MAKERS))
def profile(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Profile]:
    name = request.param
    side = 128 if name in LARGER_SIDE else 64
    folder = tmp_path_factory.getbasetemp() / "families" / name
    with small_references():
        yield profile_for(str(family_folder(name, folder, side=side, steps=2)))


@pytest.fixture(scope="module")
def engine(profile: Profile, stored: dict[str, bytes]) -> Iterator[Engine]:
    started = Engine([profile], stored.__getitem__)
    yield started
    assert started.stop(60)


def order(profile: Profile, operation: Operation, aspect: str = "1:1") -> ImageRequest:
    width, height = profile.size(aspect)
    return make_request(
        operation,
        profile=profile.name,
        width=width,
        height=height,
        seed=3,
        sources=SOURCES[operation],
        mask="mask" if operation is Operation.FILL else None,
    )


def drawing(profile: Profile) -> list[Operation]:
    """The operations that need the model, the plainest first."""
    return [one for one in Operation if one in profile.operations and one in SOURCES]


def check_drawn(engine: Engine, request: ImageRequest) -> None:
    handle = engine.submit(request)
    (picture,) = handle.result(120)
    image = open_image(picture.data)
    assert image.size == (request.width, request.height)
    assert np.asarray(image).std() > 0
    assert handle.progress.step == handle.progress.steps > 0


def test_every_known_class_has_a_tiny_model() -> None:
    assert {type(make_family(name)).__name__ for name in FAMILY_MAKERS} == set(FAMILIES)


def test_first_operation_is_drawn_at_every_aspect(profile: Profile, engine: Engine) -> None:
    first = drawing(profile)[0]
    for aspect in ALL_ASPECTS:
        check_drawn(engine, order(profile, first, aspect))


def test_other_operations_are_drawn(profile: Profile, engine: Engine) -> None:
    for operation, aspect in product(drawing(profile)[1:], FEW_ASPECTS):
        check_drawn(engine, order(profile, operation, aspect))


@pytest.mark.soak
def test_every_operation_is_drawn_at_every_aspect(profile: Profile, engine: Engine) -> None:
    for operation, aspect in product(drawing(profile), ALL_ASPECTS):
        check_drawn(engine, order(profile, operation, aspect))


def test_pictures_of_one_order_are_those_of_their_seeds_and_have_previews(
    profile: Profile, engine: Engine
) -> None:
    request = replace(order(profile, drawing(profile)[0]), steps=4)
    handle = engine.submit(replace(request, count=2))
    first, second = (open_image(one.data) for one in handle.result(120))
    (alone,) = engine.submit(replace(request, seed=request.seed + 1)).result(120)
    assert mean_difference(open_image(alone.data), second) < 1
    assert mean_difference(first, second) > 1
    assert handle.progress.preview is not None


@pytest.mark.parametrize("aspect", ["16:9", "2:3"])
def test_preview_has_the_aspect_of_its_picture(
    profile: Profile, engine: Engine, aspect: str
) -> None:
    """As far as so few cells can; and it shows something."""
    request = replace(order(profile, drawing(profile)[0], aspect), steps=4)
    handle = engine.submit(request)
    handle.result(120)
    assert handle.progress.preview is not None
    preview = open_image(handle.progress.preview)
    found, wanted = preview.width / preview.height, request.width / request.height
    assert abs(log(found / wanted)) < 0.2, (preview.size, request.width, request.height)
    assert np.asarray(preview).std() > 0


def test_what_is_not_claimed_is_refused_at_once(profile: Profile, engine: Engine) -> None:
    for operation in set(SOURCES) - profile.operations:
        with pytest.raises(Unsupported, match="cannot"):
            engine.submit(order(profile, operation)).result(1)


def test_parameters_that_are_not_followed_are_refused_and_others_change_the_picture(
    profile: Profile, engine: Engine
) -> None:
    request = order(profile, drawing(profile)[0])
    typed = replace(request, negative="a blue boat", steps=4)
    if Parameter.NEGATIVE in profile.parameters:
        (one,) = engine.submit(replace(typed, negative="")).result(120)
        (other,) = engine.submit(typed).result(120)
        assert open_image(one.data).tobytes() != open_image(other.data).tobytes()
    else:
        with pytest.raises(ParameterUnsupported):
            engine.submit(typed).result(1)


def test_strength_is_followed_or_refused(profile: Profile, engine: Engine) -> None:
    if Operation.VARY not in profile.operations:
        return
    request = order(profile, Operation.VARY)
    weak, strong = (replace(request, steps=4, strength=strength) for strength in (0.3, 0.9))
    if Parameter.STRENGTH in profile.parameters:
        (one,) = engine.submit(weak).result(120)
        (other,) = engine.submit(strong).result(120)
        assert open_image(one.data).tobytes() != open_image(other.data).tobytes()
    else:
        with pytest.raises(ParameterUnsupported):
            engine.submit(weak).result(1)


def test_warm_up_draws_what_the_model_can(profile: Profile, engine: Engine) -> None:
    assert engine.warm_up(profile.name).result(120) == ()


def test_unknown_class_claims_only_to_draw() -> None:
    assert UNKNOWN_FAMILY.operations == {Operation.IMAGINE, Operation.UPSCALE}
