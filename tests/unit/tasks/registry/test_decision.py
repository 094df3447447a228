"""Checks by hand; a run against a server stands in tests/e2e."""

from dataclasses import replace

import numpy as np
import pytest

from acl_core.reader.score import GroupScore, ReaderScores, group_of_class
from tasks.registry.decision import decide, markdown
from tests.plates import params

LIMITS = params().promote.model_copy(update={"min_plates_read": 0.5, "resamples": 500})
SCORES = ReaderScores(np.ones(40, bool), {"digits": GroupScore(100, 100)}, 0.02, 10.0, 10.0)


def reads(n: int) -> ReaderScores:
    return replace(SCORES, read=np.arange(40) < n)


def test_a_gain_is_paired() -> None:
    (check,) = [
        check for check in decide(reads(30), reads(20), LIMITS, 1).checks if check.name == "gain in plates read"
    ]
    assert check.challenger == pytest.approx(0.25)
    low, high = (float(number) for number in check.bound.split()[3:6:2])
    assert 0.1 < low < 0.25 < high < 0.42  # 10 of 40 plates: a binomial of mean 0.25 and deviation 0.068


@pytest.mark.parametrize(("challenger", "champion", "passed"), [(30, 20, True), (30, 29, False), (30, 30, False)])
def test_the_lower_end_of_the_gain_decides(challenger: int, champion: int, passed: bool) -> None:
    assert decide(reads(challenger), reads(champion), LIMITS, 1).passed is passed


def test_without_a_champion_the_limits_decide() -> None:
    assert decide(reads(20), None, LIMITS, 1).passed
    verdict = decide(reads(19), None, LIMITS, 1)
    assert not verdict.passed
    assert verdict.reason == "plates read 0.475 (at least 0.5)"


@pytest.mark.parametrize(
    ("field", "value"),
    [("calibration_error", 0.11), ("latency_ms", 1001.0), ("size_mb", 201.0), ("calibration_error", float("nan"))],
)
def test_each_limit_holds_alone(field: str, value: float) -> None:
    verdict = decide(replace(SCORES, **{field: value}), None, LIMITS, 1)
    assert [check.passed for check in verdict.checks].count(False) == 1


def test_no_plates_no_promotion() -> None:
    nothing = replace(SCORES, read=np.zeros(0, bool))
    assert not decide(nothing, None, LIMITS, 1).passed
    assert "gain in plates read nan" in decide(nothing, nothing, LIMITS, 1).reason


def test_small_groups_are_shown_and_not_judged() -> None:
    small = replace(SCORES, groups={"digits": GroupScore(0, 19)})
    before = replace(reads(0), groups={"digits": GroupScore(19, 19)})
    verdict = decide(small, before, LIMITS, 1)
    assert verdict.passed
    assert "not judged: fewer than 20" in markdown(verdict)


@pytest.mark.parametrize(
    ("name", "group"),
    [("7", "digits"), ("가", "Hangul"), ("서울", "Hangul"), ("ھ", "Arabic"), ("A", "Latin"), ("-", "signs")],
)
def test_classes_fall_into_groups_by_script(name: str, group: str) -> None:
    assert group_of_class(name) == group
