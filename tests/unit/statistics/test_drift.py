import numpy as np
import pandas as pd
import pytest

from acl_core.statistics.drift import CLASSES, MEASURES, compared, drift, in_both


def frame(n: int, seed: int, **shift: float) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({m: rng.normal(shift.get(m, 0.0), 1, n) for m in MEASURES} | {"side": "train"})


def of(new: pd.DataFrame, old: pd.DataFrame, counts: list[list[int]]) -> dict[str, tuple[float, float]]:
    return {row.measure: (row.statistic, row.p) for row in drift(new, old, np.array(counts))}


def test_the_same_source_is_no_drift_and_a_shift_is() -> None:
    found = of(frame(400, 1, brightness=1), frame(400, 2), [[100, 100], [200, 200]])
    assert found["brightness"][0] > 0.3
    assert found["brightness"][1] < 1e-6
    for measure in ("width_px", "height_px", "sharpness"):
        assert found[measure][0] < 0.15
        assert found[measure][1] > 0.01
    assert found[CLASSES] == (0, 1)


def test_values_by_hand() -> None:
    new, old = frame(2, 1), frame(4, 2)
    new["width_px"], old["width_px"] = [1.0, 2.0], [2.0, 3.0, 4.0, 5.0]
    found = of(new, old, [[10, 0], [0, 10]])
    assert found["width_px"][0] == 0.75  # at 2: all of the new, a quarter of the old
    assert found[CLASSES][0] == pytest.approx(1)  # no class in common
    assert found[CLASSES][1] == pytest.approx(7.74e-6, rel=0.01)  # chi-square 20, one degree of freedom


def test_missing_values_are_left_out_and_nothing_to_compare_is_no_row() -> None:
    new, old = frame(5, 1), frame(5, 2)
    new["brightness"] = np.nan
    found = of(new, old, [[0, 0], [1, 2]])
    assert set(found) == set(MEASURES) - {"brightness"}


def test_what_is_held_against_what() -> None:
    own = pd.DataFrame({"side": ["train", "validation", "test"]})
    new, old = compared(own, None)
    assert (new.index.tolist(), old.index.tolist()) == ([2], [0])
    new, old = compared(own, pd.DataFrame({"side": ["test", "train"]}))
    assert (new.index.tolist(), old.index.tolist()) == ([0, 1, 2], [1])


def test_classes_are_matched_by_name() -> None:
    counts = in_both(["a", "b"], ["b", "c"], [np.array([1, 2]), np.array([3, 4])])
    assert counts.tolist() == [[1, 2, 0], [0, 3, 4]]
