import numpy as np
import pytest

from acl_core.evaluate.average_precision import match
from acl_core.evaluate.decode import Detections
from acl_core.evaluate.scores import PlateScores
from acl_core.statistics.alignment import align
from acl_core.statistics.table import METRICS, per_class, table

N_PLATES = 200


def scores(share_read: float, psnr: float | None = 20.0) -> PlateScores:
    """Plates of one character, of which a share is found, always on the first plates."""
    n_read = round(share_read * N_PLATES)
    box = np.array([[0, 0, 1, 1]], np.float32)
    none = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.float32))
    hit = Detections(box, np.zeros(1, np.int64), np.ones(1, np.float32))
    found = [hit if i < n_read else none for i in range(N_PLATES)]
    read = np.arange(N_PLATES) < n_read
    values = None if psnr is None else np.full(N_PLATES, psnr)
    return PlateScores(
        read=read,
        edits=(~read).astype(float),
        length=np.ones(N_PLATES),
        matches=match(found, [(box, np.zeros(1, np.int64))] * N_PLATES, 2),
        psnr_db=values,
        psnr_y_db=values,
        ssim=values,
    )


METHODS = {"bicubic": scores(0.2), "phase2": scores(0.8), "hr": scores(0.9, None)}


def test_values_and_gap_closed_by_hand() -> None:
    rows = table(METHODS, 200, seed=1)
    assert set(rows["phase2"]) == set(METRICS)
    assert rows["phase2"]["plates_read"]["value"] == pytest.approx(0.8)
    assert rows["phase2"]["cer"]["value"] == pytest.approx(0.2)
    assert rows["phase2"]["gap_closed_plates_read"]["value"] == pytest.approx(0.6 / 0.7)
    assert rows["bicubic"]["gap_closed_plates_read"]["value"] == 0
    assert rows["hr"]["gap_closed_plates_read"]["value"] == 1
    assert rows["hr"]["psnr_db"] == {"value": None, "low": None, "high": None}


def test_the_interval_is_that_of_a_share() -> None:
    row = table(METHODS, 2000, seed=1)["phase2"]["plates_read"]
    half = 1.96 * np.sqrt(0.8 * 0.2 / N_PLATES)
    assert row["low"] == pytest.approx(0.8 - half, abs=0.012)
    assert row["high"] == pytest.approx(0.8 + half, abs=0.012)


def test_no_gap_no_share_of_it() -> None:
    rows = table({"bicubic": scores(0.5), "hr": scores(0.5)}, 20, seed=1)
    assert rows["hr"]["gap_closed_plates_read"] == {"value": None, "low": None, "high": None}


def test_per_class_leaves_out_what_does_not_occur() -> None:
    rows = per_class(METHODS, ["A", "B"])
    assert rows["B"] == {"bicubic": None, "phase2": None, "hr": None}
    # 101 recalls, of which those up to 0.8 are reached
    assert rows["A"]["phase2"] == pytest.approx(81 / 101)


def test_alignment_tells_right_wrong_and_missing_apart() -> None:
    assert align("12A4", "12A4") == [(c, True) for c in "12A4"]
    assert align("1294", "12A4") == [("1", True), ("2", True), ("9", False), ("4", True)]
    assert align("124", "12A4") == [("1", True), ("2", True), ("", False), ("4", True)]
    assert align("12AA4", "12A4").count(("A", False)) == 1
    assert align("", "12") == [("", False), ("", False)]
