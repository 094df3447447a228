import numpy as np
import pytest
import torch

from acl_core.data.batches import PairSet
from acl_core.data.degrade import degrade
from acl_core.data.manifest import DatasetCard, Side
from acl_core.device import Compute
from acl_core.evaluate.outcome import Method
from acl_core.evaluate.suite import run_suite, under
from acl_core.models.build import build_recognizer
from acl_core.models.enlarger import Bicubic
from acl_core.params import Architecture, Reading, RecognizerParams
from acl_core.params_plates import Direction
from acl_core.statistics.table import suite_table, table
from tests.plates import CLASSES, params, toy_plate

COMPUTE = Compute(torch.device("cpu"), bf16=False)
SUITE = params().evaluate.suite


@pytest.fixture
def pairs() -> PairSet:
    plates = [degrade(toy_plate(i, Side.TEST, (24, 72)), 4) for i in range(5)]
    return PairSet(plates, DatasetCard("toy", Direction.LTR, CLASSES, 4), 4)


def brightness(picture: np.ndarray | None) -> float:
    assert picture is not None
    return float(picture.mean())


@pytest.mark.parametrize("severity", SUITE.severities)
def test_a_severity_gives_whole_pairs_and_the_same_ones_again(pairs: PairSet, severity: str) -> None:
    seen, again = (under(SUITE.recipes[severity], pairs, seed=1) for _ in range(2))
    for plate, twin, before in zip(seen.plates, again.plates, pairs.plates, strict=True):
        assert plate.lr is not None
        assert plate.hr.shape[:2] == (plate.lr.shape[0] * 4, plate.lr.shape[1] * 4)
        np.testing.assert_array_equal(plate.lr, twin.lr)
        assert (plate.name, len(plate.boxes)) == (before.name, len(before.boxes))
        assert np.array_equal(plate.lr, before.lr) == (severity == "clean")
        assert np.array_equal(plate.hr, before.hr) == (severity not in {"dark", "rotated", "all"})


def test_a_plate_s_severity_does_not_depend_on_the_plates_beside_it(pairs: PairSet) -> None:
    alone = PairSet(pairs.plates[3:4], pairs.card, 4)
    recipe = SUITE.recipes["noise"]
    np.testing.assert_array_equal(under(recipe, alone, 1).plates[0].lr, under(recipe, pairs, 1).plates[3].lr)
    assert not np.array_equal(under(recipe, alone, 2).plates[0].lr, under(recipe, alone, 1).plates[0].lr)


def test_darkness_is_the_scene_s_and_hr_shares_it(pairs: PairSet) -> None:
    dark = under(SUITE.recipes["dark"], pairs, seed=1).plates[0]
    assert brightness(dark.hr) < 0.45 * brightness(pairs.plates[0].hr)
    assert brightness(dark.lr) == pytest.approx(brightness(dark.hr), abs=2)


def test_every_method_is_measured_under_every_severity(pairs: PairSet) -> None:
    torch.manual_seed(1)
    recognizer = build_recognizer(RecognizerParams(architecture=Architecture.PAPER, input_px=64), len(CLASSES))
    methods = {"bicubic": Method(Bicubic(4), recognizer), "hr": Method(None, recognizer)}
    rule = Reading(confidence=0.0, overlap=0.5)
    suite = SUITE.model_copy(update={"severities": ["clean", "noise", "dark"]})
    scores = run_suite(methods, pairs, suite, rule, 1, COMPUTE, 4)
    rows = suite_table(scores, 20, seed=1)
    assert {severity: set(row) for severity, row in rows.items()} == {name: set(methods) for name in suite.severities}
    main = table(scores["clean"], 20, seed=1)
    for method in methods:
        assert rows["clean"][method] == {m: main[method][m] for m in ("plates_read", "map50")}
    np.testing.assert_array_equal(scores["noise"]["hr"].edits, scores["clean"]["hr"].edits)  # HR is spared the noise
    few = run_suite(methods, pairs, suite.model_copy(update={"max_plates": 2}), rule, 1, COMPUTE, 4)
    assert len(few["clean"]["hr"].read) == 2


def test_without_severities_there_is_no_suite(pairs: PairSet) -> None:
    assert (
        run_suite(
            {}, pairs, SUITE.model_copy(update={"severities": []}), Reading(confidence=0, overlap=0.5), 1, COMPUTE, 4
        )
        == {}
    )
