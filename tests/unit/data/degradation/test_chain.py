from pathlib import Path

import numpy as np
import pytest

from acl_core.data.degradation.chain import PAPER, photograph, stage
from acl_core.data.degradation.size import reduce
from acl_core.errors import ParamsError
from acl_core.params import load_params
from acl_core.params_degrade import Degrade, Suite, scene_of
from acl_core.seeding import generator
from tests.plates import ROOT, params, toy_plate
from tests.unit.data.degradation.pictures import grain

STEPS = {
    "gaussian": {"sigma_px": 2, "ratio": [0.3, 1], "angle_deg": [0, 180]},
    "motion": {"length_px": 6, "angle_deg": 30},
    "defocus": {"radius_px": 2},
    "noise": {"shot": 0.1, "read": 0.1},
    "tone": {"gamma": 1.4, "exposure_stops": -1},
    "jpeg": {"quality": [20, 30]},
    "webp": {"quality": 20},
}
REDUCE = {"kind": "reduce", "kernels": ["bicubic_antialiased"], "relative_scale": 1}


def recipe(*steps: object):
    return Degrade.model_validate({"recipe": "mine", "recipes": {"mine": [*steps, REDUCE]}}).steps


@pytest.mark.parametrize("kind", STEPS)
def test_a_step_is_taken_with_its_probability(kind: str) -> None:
    hr = grain()
    never, always, often = (recipe({"kind": kind, "probability": p} | STEPS[kind]) for p in (0, 1, 0.5))
    plain = reduce(hr, 4)
    np.testing.assert_array_equal(photograph(never, hr, 4, generator(1)), plain)
    taken = photograph(always, hr, 4, generator(1))
    assert (taken.shape, taken.dtype) == (plain.shape, np.uint8)
    assert not np.array_equal(taken, plain)
    np.testing.assert_array_equal(taken, photograph(always, hr, 4, generator(1)))
    changed = [not np.array_equal(photograph(often, hr, 4, generator(1, i)), plain) for i in range(40)]
    assert 10 < sum(changed) < 30


def test_steps_are_taken_in_their_order() -> None:
    noise = {"kind": "noise", "probability": 1} | STEPS["noise"]
    before = Degrade.model_validate({"recipe": "r", "recipes": {"r": [noise, REDUCE]}}).steps
    behind = Degrade.model_validate({"recipe": "r", "recipes": {"r": [REDUCE, noise]}}).steps
    hr = np.full((48, 96, 3), 128, np.uint8)
    spread = [photograph(steps, hr, 4, generator(1)).std() for steps in (before, behind)]
    assert spread[0] < 0.5 * spread[1]  # the reduction averages noise that comes before it


def test_the_root_s_recipes() -> None:
    known = params().degrade
    assert known.steps == PAPER
    camera = known.recipes["camera"]
    hr = toy_plate(0, size=(48, 144)).hr
    seen = [photograph(camera, hr, 4, generator(1, i)) for i in range(8)]
    assert {picture.shape for picture in seen} == {(12, 36, 3)}
    assert len({picture.tobytes() for picture in seen}) == 8


def test_the_scene_is_what_stands_in_front_of_the_camera() -> None:
    steps = params().evaluate.suite.recipes["all"]
    scene = scene_of(steps)
    assert [step.kind for step in scene] == ["rotate", "tone"]
    plate = toy_plate(0, size=(48, 144))
    hr, boxes = stage(scene, plate.hr, plate.boxes, generator(1))
    assert hr.shape[0] > 48
    assert hr.mean() < 0.75 * plate.hr.mean()
    assert boxes.shape == plate.boxes.shape
    assert scene_of(PAPER) == ()


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "needs the step reduce once, has it 0 times"),
        ([REDUCE, REDUCE], "has it 2 times"),
        ([{"kind": "smear"}, REDUCE], "does not match any of the expected tags"),
        ([{"kind": "jpeg", "probability": 1, "quality": 0}, REDUCE], "greater than or equal to 1"),
        ([{"kind": "jpeg", "probability": 1, "quality": [90, 30]}, REDUCE], "runs from low to high"),
        ([{"kind": "jpeg", "probability": 1}, REDUCE], "quality"),
        ([{"kind": "jpeg", "probability": 2, "quality": 5}, REDUCE], "less than or equal to 1"),
        ([{"kind": "motion", "probability": 1, "length_px": [1, 2, 3], "angle_deg": 0}, REDUCE], "at most 2 items"),
        ([REDUCE | {"kernels": []}], "at least 1 item"),
        ([REDUCE | {"kernels": ["lanczos"]}], "bicubic_antialiased"),
        ([{"kind": "rotate", "probability": 1, "angle_deg": 5}, REDUCE], "does not match any of the expected tags"),
    ],
)
def test_a_recipe_that_cannot_be_used(steps: list[object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Degrade.model_validate({"recipe": "r", "recipes": {"r": steps}})


def test_a_wrong_step_is_one_line_that_names_it(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(text.replace("sigma_px: [0.3, 3]", "sigma_px: [-1, 3]"), encoding="utf-8")
    with pytest.raises(ParamsError, match=r"degrade\.recipes\.camera\.0\.gaussian\.sigma_px\.0: Input") as error:
        load_params(tmp_path / "params.yaml")
    assert "\n" not in str(error.value)


def test_names_that_are_not_known() -> None:
    with pytest.raises(ValueError, match="'blind' is not among the recipes"):
        Degrade.model_validate({"recipe": "blind", "recipes": {"r": [REDUCE]}})
    with pytest.raises(ValueError, match=r"severities \['fog'\] are not among"):
        Suite.model_validate({"severities": ["fog"], "max_plates": 1, "recipes": {"clean": [REDUCE]}})
    with pytest.raises(ValueError, match="listed twice"):
        Suite.model_validate({"severities": ["c", "c"], "max_plates": 1, "recipes": {"c": [REDUCE]}})


def test_a_plate_is_turned_before_it_is_photographed() -> None:
    turn = {"kind": "rotate", "probability": 1, "angle_deg": 5}
    with pytest.raises(ValueError, match="only rotate and tone may stand in front"):
        Suite.model_validate({"severities": [], "max_plates": 1, "recipes": {"r": [REDUCE, turn]}})
