"""Checks that all formats share, and pictures of whole cars."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from acl_core.data.manifest import Plate, Rejected
from acl_core.errors import DataError
from acl_core.params_plates import Direction
from acl_core.sources.annotations import AnnotatedSet, Annotation, Shape
from tests.unit.sources.importing import picture, read

PLATE = [[40, 20], [140, 60]]
A, B = [[50, 30], [60, 50]], [[100, 30], [110, 50]]


def shapes(*labelled: tuple[str, object]) -> list[Shape]:
    return [Shape(label, np.array(points, np.float64), f"row {i}") for i, (label, points) in enumerate(labelled, 1)]


def one(
    tmp_path: Path,
    marked: Sequence[Shape],
    *,
    classes: tuple[str, ...] = ("A", "B", "Plate"),
    size: tuple[int, int] | None = None,
    in_pixels: bool = True,
    **changes: object,
) -> tuple[list[Plate], dict[str, str]]:
    path = picture(tmp_path / "car.png", (200, 100))
    item = Annotation("car.png", "car.png", path, marked, in_pixels=in_pixels, size=size)
    return read(AnnotatedSet(classes, tmp_path, iter([item])), **changes)


@pytest.mark.parametrize(
    ("label", "points", "reason"),
    [
        ("A", [[np.nan, 30], [60, 50]], "row 2: a coordinate is not a finite number"),
        ("A", [[50, 30], [np.inf, 50]], "row 2: a coordinate is not a finite number"),
        ("A", [[60, 30], [50, 50]], "row 2: box without area"),
        ("A", [[60, 30], [60, 50]], "row 2: box without area"),
        ("A", [[10, 10], [20, 20], [30, 30]], "row 2: polygon without area"),
        ("A", [[-50, 30], [60, 50]], "row 2: box stands outside the picture"),
        ("A", [[50, 30], [60, 150]], "row 2: box stands outside the picture"),
        ("A", [[0.2, 0.3], [0.3, 0.5]], "row 2: coordinates as shares of the picture, needs pixels"),
        ("C", A, "row 2: class 'C' is not in the list (2 classes)"),
    ],
)
def test_a_bad_shape_rejects_the_picture_with_its_row(tmp_path: Path, label: str, points: object, reason: str) -> None:
    plates, rejected = one(tmp_path, shapes(("B", B), (label, points)))
    assert plates == []
    assert rejected == {"car.png": reason}


def test_pixels_among_shares_are_named(tmp_path: Path) -> None:
    _, rejected = one(tmp_path, shapes(("A", [[0.1, 0.1], [0.2, 0.3]]), ("A", A)), in_pixels=False)
    assert "row 2: coordinates in pixels" in rejected["car.png"]


def test_nothing_annotated_and_another_size(tmp_path: Path) -> None:
    assert one(tmp_path, [])[1] == {"car.png": "nothing is annotated"}
    _, rejected = one(tmp_path, shapes(("A", A)), size=(100, 200))
    assert rejected == {"car.png": "annotated as 100 x 200 px, but upright the picture is 200 x 100 px"}


@pytest.mark.parametrize("classes", [(), ("A",), ("A", "plate")])
def test_fewer_than_two_classes_are_refused_for_the_whole_set(tmp_path: Path, classes: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="needs two or more") as caught:
        one(tmp_path, shapes(("A", A)), classes=classes)
    assert str(tmp_path) in str(caught.value)


def test_two_pictures_of_one_name(tmp_path: Path) -> None:
    items: list[Annotation | Rejected] = []
    for side in ("train", "valid"):
        path = picture(tmp_path / side / "1.png", (200, 100))
        items.append(Annotation(f"{side}/1.png", "1.png", path, shapes(("A", A)), in_pixels=True))
    plates, rejected = read(AnnotatedSet(("A", "B"), tmp_path, iter(items)))
    assert len(plates) == 1
    assert rejected == {"valid/1.png": "train/1.png has the same name, rename one of them"}


def test_many_classes(tmp_path: Path) -> None:
    names = tuple(chr(0x4E00 + i) for i in range(300))
    plates, _ = one(tmp_path, shapes((names[299], A), (names[256], B)), classes=names)
    assert plates[0].classes.tolist() == [299, 256]
    assert plates[0].text == names[299] + names[256]


def test_the_script_decides_the_direction(tmp_path: Path) -> None:
    marked = shapes(("أ", A), ("ب", B))
    assert one(tmp_path, marked, classes=("أ", "ب"), direction=Direction.RTL)[0][0].text == "بأ"
    assert one(tmp_path, marked, classes=("أ", "ب"), direction=Direction.LTR)[0][0].text == "أب"


def test_a_plate_is_cropped_with_its_characters(tmp_path: Path) -> None:
    plates, rejected = one(tmp_path, shapes(("car", [[5, 5], [195, 95]]), ("plate", PLATE), ("B", B), ("A", A)),
                           classes=("A", "B", "car", "Plate"))  # fmt: skip
    assert rejected == {}
    assert [plate.name for plate in plates] == ["car.png"]
    assert plates[0].hr.shape == (40, 100, 3)
    assert plates[0].text == "AB"
    np.testing.assert_allclose(plates[0].boxes, [[10, 10, 20, 30], [60, 10, 70, 30]], atol=1e-4)


def test_the_class_of_plates_is_a_parameter(tmp_path: Path) -> None:
    marked = shapes(("Platte", PLATE), ("A", A))
    assert one(tmp_path, marked, classes=("A", "B", "Platte"), plate_class="platte")[0][0].hr.shape[1] == 100
    assert one(tmp_path, shapes(("A", A)), plate_class="")[0][0].hr.shape[1] == 200


def test_each_plate_of_a_picture_stands_or_falls_alone(tmp_path: Path) -> None:
    right = [[150, 20], [190, 60]]
    marked = shapes(
        ("plate", PLATE), ("plate", right), ("plate", [[0, 70], [60, 95]]), ("A", A), ("B", [[160, 30], [170, 50]])
    )
    plates, rejected = one(tmp_path, marked)
    assert [(plate.name, plate.text) for plate in plates] == [("car.png", "A"), ("car.png#2", "B")]
    assert rejected == {"car.png#3": "no character in the plate"}
    plates, rejected = one(tmp_path, marked, min_width_px=50)
    assert [plate.name for plate in plates] == ["car.png"]
    assert "below plates.min_width_px (50)" in rejected["car.png#2"]


def test_a_character_across_the_border_would_spoil_the_text(tmp_path: Path) -> None:
    plates, rejected = one(tmp_path, shapes(("plate", PLATE), ("A", A), ("B", [[135, 30], [147, 50]])))
    assert plates == []
    assert rejected == {"car.png": "row 3: stands across the border of the plate (row 1)"}


def test_what_lies_in_no_plate_is_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plates, _ = one(tmp_path, shapes(("plate", PLATE), ("A", A), ("B", [[160, 70], [170, 90]])))
    assert plates[0].text == "A"
    assert "1 shapes that lie in no plate" in caplog.text


def test_a_picture_without_a_plate_in_a_set_of_cars(tmp_path: Path) -> None:
    plates, rejected = one(tmp_path, shapes(("A", A)))
    assert plates == []
    assert rejected["car.png"].startswith("no 'plate' is annotated, but the set has this class")


def test_corners_are_rectified_and_boxes_carried_along(tmp_path: Path) -> None:
    turn = np.deg2rad(20)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    flat = {"plate": [[0, 0], [80, 0], [80, 30], [0, 30]], "A": [[10, 5], [20, 5], [20, 25], [10, 25]]}
    marked = shapes(*((label, np.array(points) @ rotation + [60, 20]) for label, points in flat.items()))
    plates, rejected = one(tmp_path, marked)
    assert rejected == {}
    assert plates[0].hr.shape == (30, 80, 3)
    np.testing.assert_allclose(plates[0].boxes, [[10, 5, 20, 25]], atol=0.01)


def test_corners_that_are_not_convex_are_named(tmp_path: Path) -> None:
    dart = [[10, 10], [100, 10], [30, 25], [10, 90]]
    assert one(tmp_path, shapes(("plate", dart), ("A", A)))[1] == {
        "car.png": "row 1: four corners of a plate that are not convex"
    }
