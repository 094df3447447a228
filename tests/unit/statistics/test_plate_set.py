import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acl_core.data.manifest import DatasetCard, Plate, Rejected, Side, read_card, read_plates
from acl_core.params_plates import Direction
from acl_core.statistics.appearance import appearance
from acl_core.statistics.plate_set import MEASURES, set_statistics
from acl_core.statistics.rejections import kinds_of_rejection
from tests.plates import toy_plate, write_pairs

CARD = DatasetCard("toy", Direction.LTR, ("A", "B", "C"))


def plate(name: str, side: Side, classes: list[int], width: int = 20) -> Plate:
    grey = np.full((10, width, 3), 51, np.uint8)
    boxes = np.zeros((len(classes), 4), np.float32)
    return Plate(name, "".join("ABC"[c] for c in classes), side, grey, boxes, np.array(classes, np.int64))


PLATES = [
    plate("1", Side.TRAIN, [0, 0], 20),
    plate("2", Side.TRAIN, [0, 0], 30),
    plate("3", Side.TRAIN, [0, 1, 1], 40),
    plate("4", Side.TEST, [2], 20),
]


def test_sides_strings_and_characters_by_hand() -> None:
    found = set_statistics(CARD, iter(PLATES))
    train, validation, test = (found.sides[side] for side in Side)
    assert (train.plates, train.strings, train.characters) == (3, 2, (5, 2, 0))
    assert (validation.plates, validation.strings, validation.characters) == (0, 0, (0, 0, 0))
    assert (test.plates, test.strings, test.characters) == (1, 1, (0, 0, 1))
    assert found.characters("A") == {Side.TRAIN: 5, Side.VALIDATION: 0, Side.TEST: 0}


def test_quantiles_by_hand() -> None:
    train = set_statistics(CARD, iter(PLATES)).sides[Side.TRAIN]
    assert set(train.quantiles) == set(MEASURES)
    assert train.quantiles["width_px"] == pytest.approx((20, 21, 30, 39, 40))
    assert train.quantiles["characters"] == pytest.approx((2, 2, 2, 2.9, 3))
    assert train.quantiles["brightness"] == pytest.approx((0.2,) * 5)
    assert train.quantiles["sharpness"] == pytest.approx((0,) * 5)


def test_a_class_of_test_that_training_lacks_is_found_and_one_of_validation_is_not_asked_for() -> None:
    assert set_statistics(CARD, iter(PLATES)).cannot_be_learnt() == ["C"]
    assert set_statistics(CARD, [plate("1", Side.VALIDATION, [1])]).cannot_be_learnt() == []


def test_a_set_on_disk(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path / "plates", None, (300, 6, 6))
    found = set_statistics(read_card(folder), read_plates(folder))
    assert [side.plates for side in found.sides.values()] == [300, 6, 6]
    assert sum(sum(side.characters) for side in found.sides.values()) == 3 * 312


def test_appearance_by_hand() -> None:
    halves = np.zeros((4, 8, 3), np.uint8)
    halves[:, 4:] = 255
    found = appearance(halves)
    assert (found.brightness, found.contrast) == pytest.approx((0.5, 0.5))
    # the Laplacian is +-255 in the two columns beside the edge and 0 elsewhere
    assert found.sharpness == pytest.approx(255**2 / 4)


def test_sharpness_falls_with_blur() -> None:
    sharp = toy_plate(0).hr
    mean = sharp.mean(axis=(0, 1), keepdims=True)
    assert appearance((0.5 * sharp + 0.5 * mean).astype(np.uint8)).sharpness < appearance(sharp).sharpness


def test_reasons_of_one_kind_are_counted_together() -> None:
    reasons = {
        "1.png": "labels/1 a.txt line 3: class 31 is not in classes.txt (27 classes, 0-26)",
        "2.png": "labels/2: b.txt line 1: class 9 is not in classes.txt (27 classes, 0-26)",
        "3.png": "84 px wide, below plates.min_width_px (96)",
        "4.png": "damaged picture (image file is truncated (3 bytes: none left))",
        "5.png": "no label file labels/5.txt",
        "6.png": "85 px wide, below plates.min_width_px (96)",
        "7.png": "87 px wide, below plates.min_width_px (96)",
        "8.png": "a b/8.png has the same name, rename one of them",
        "9.png": '9.json shapes[2]: class "it\'s" is not in the list (2 classes)',
    }
    kinds = kinds_of_rejection(Rejected(*item) for item in reasons.items())
    assert [(kind.reason, kind.files, kind.example) for kind in kinds] == [
        ("… px wide, below plates.min_width_px", 3, "3.png"),
        ("class … is not in …", 2, "1.png"),
        ("damaged picture", 1, "4.png"),
        ("no label file …", 1, "5.png"),
        ("… has the same name, rename one of them", 1, "8.png"),
        ("class … is not in the list", 1, "9.png"),
    ]


def test_pictures_are_not_kept() -> None:
    made: list[weakref.ref[np.ndarray]] = []

    def stream():
        for i in range(20):
            picture = PLATES[0].hr.copy()
            made.append(weakref.ref(picture))
            yield replace(PLATES[0], name=str(i), hr=picture)
            del picture
            assert sum(reference() is not None for reference in made) <= 1

    set_statistics(CARD, stream())
    assert len(made) == 20
