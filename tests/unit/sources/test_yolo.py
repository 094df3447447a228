import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acl_core.data.manifest import Plate, Rejected, Side
from acl_core.errors import DataError
from acl_core.params_plates import Plates, Split
from acl_core.sources.annotations import plates_of
from acl_core.sources.class_list import read_classes
from acl_core.sources.split import side_of
from acl_core.sources.yolo import is_yolo, open_yolo
from tests.plates import params

GOOD = "0 0.2 0.5 0.1 0.4\n1 0.5 0.5 0.1 0.4\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    (tmp_path / "classes.txt").write_text("أ\nب\n", encoding="utf-8")
    return tmp_path


def limits(**changes: object) -> Plates:
    return params().plates.model_copy(update={"min_width_px": 96} | changes)


def add(folder: Path, name: str, label: str | None = GOOD, size: tuple[int, int] = (160, 80)) -> None:
    Image.new("RGB", size, (90, 120, 150)).save(folder / "images" / f"{name}.png")
    if label is not None:
        (folder / "labels" / f"{name}.txt").write_text(label, encoding="utf-8")


def read(folder: Path) -> tuple[list[Plate], dict[str, str]]:
    items = list(plates_of(open_yolo(folder), limits(), seed=1))
    return [i for i in items if isinstance(i, Plate)], {i.file: i.reason for i in items if isinstance(i, Rejected)}


def test_a_good_plate_is_reduced_and_its_boxes_with_it(folder: Path) -> None:
    add(folder, "ا ب 1", size=(288, 100))
    plates, rejected = read(folder)
    assert rejected == {}
    assert is_yolo(folder)
    assert plates[0].name == "ا ب 1.png"
    assert plates[0].text == "أب"
    assert plates[0].hr.shape == (50, 144, 3)
    np.testing.assert_allclose(plates[0].boxes[0], [0.15 * 144, 0.3 * 50, 0.25 * 144, 0.7 * 50], atol=1e-3)


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("", "is empty"),
        (None, "no label file"),
        ("2 0.2 0.5 0.1 0.4\n", "line 1: class 2 is not in classes.txt (2 classes, 0-1)"),
        (GOOD + "0 0.2 0.5 0.1 0\n", "line 3: box without area"),
        ("0 nan 0.5 0.1 0.4\n", "not a finite number"),
        ("0 0.2 0.5 -0.1 0.4\n", "box without area"),
        ("0 120 40 16 32\n", "in pixels"),
        ("0 1.2 0.5 0.1 0.4\n", "outside the picture"),
        ("0 0.2 0.5\n", "needs a class and four numbers"),
        ("0 0.2 0.5 0.1 0.4 0.9\n", "needs a class and four numbers"),
        ("0 0.2 0.5 0.1 0.4 0.9 0.8 0.7\n", "line 1: needs a class and four numbers, or a class and the corners"),
        ("0 0.1 0.1 0.2 0.1 nan 0.3\n", "not a finite number"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3\n", "polygon without area"),
        (GOOD + GOOD.splitlines()[0], "labels/bad.txt line 3: the same as labels/bad.txt line 1"),
        ("A 0.2 0.5 0.1 0.4\n", "needs a class and four numbers"),
    ],
)
def test_a_bad_label_is_rejected_with_its_line(folder: Path, label: str | None, reason: str) -> None:
    add(folder, "bad", label)
    add(folder, "good")
    plates, rejected = read(folder)
    assert [p.name for p in plates] == ["good.png"]
    assert reason in rejected["images/bad.png"]


def test_a_polygon_counts_by_its_bounds_and_a_plate_of_four_corners_is_rectified(folder: Path) -> None:
    add(folder, "a", "0 0.2 0.3 0.25 0.3 0.3 0.5 0.2 0.7\n1 0.5 0.5 0.1 0.4\n")
    np.testing.assert_allclose(read(folder)[0][0].boxes[0], [28.8, 21.6, 43.2, 50.4], atol=1e-4)
    (folder / "classes.txt").write_text("أ\nب\nplate\n", encoding="utf-8")
    add(folder, "a", "2 0.1 0.1 0.9 0.2 0.9 0.8 0.1 0.7\n0 0.3 0.4 0.1 0.2\n1 0.6 0.4 0.1 0.2\n", size=(320, 160))
    plate = read(folder)[0][0]
    assert plate.text == "أب"
    assert plate.hr.shape == (54, 144, 3)  # 256.5 x 96 px, reduced


def test_a_pixel_outside_is_clipped(folder: Path) -> None:
    add(folder, "edge", "0 0.955 0.5 0.1 0.4\n")
    plates, _ = read(folder)
    assert plates[0].boxes[0, 2] == 144


def test_bad_pictures_are_rejected(folder: Path) -> None:
    add(folder, "small", size=(60, 30))
    add(folder, "truncated")
    data = (folder / "images" / "truncated.png").read_bytes()
    (folder / "images" / "truncated.png").write_bytes(data[: len(data) // 2])
    add(folder, "zero")
    (folder / "images" / "zero.png").write_bytes(b"")
    add(folder, "text")
    (folder / "images" / "text.png").write_text("no picture")
    (folder / "labels" / "orphan.txt").write_text(GOOD)
    plates, rejected = read(folder)
    assert plates == []
    assert "below plates.min_width_px (96)" in rejected["images/small.png"]
    assert "damaged" in rejected["images/truncated.png"]
    assert "not a picture" in rejected["images/zero.png"]
    assert "not a picture" in rejected["images/text.png"]
    assert "no picture of this name" in rejected["labels/orphan.txt"]


def test_a_bomb_is_not_unpacked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acl_core.sources.pictures.MAX_PIXELS", 1000)
    add(folder, "bomb")
    _, rejected = read(folder)
    assert "160 x 80 px" in rejected["images/bomb.png"]


@pytest.mark.parametrize(("text", "message"), [("", "empty line"), ("a\n\nb\n", "empty line"), ("a\na\n", "twice: a")])
def test_a_bad_class_list_is_one_sentence(folder: Path, text: str, message: str) -> None:
    (folder / "classes.txt").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_classes(folder)


def test_a_plate_string_stands_on_one_side_and_stays_there() -> None:
    split = Split(validation=0.1, test=0.2)
    sides = [side_of(str(i), split, seed=1) for i in range(4000)]
    assert sides == [side_of(str(i), split, seed=1) for i in range(4000)]
    assert sides != [side_of(str(i), split, seed=2) for i in range(4000)]
    assert sides.count(Side.TEST) == pytest.approx(800, abs=90)
    assert sides.count(Side.VALIDATION) == pytest.approx(400, abs=70)


def test_a_label_that_notepad_saved_is_read(folder: Path) -> None:
    add(folder, "a", "\ufeff" + GOOD)
    plates, rejected = read(folder)
    assert rejected == {}
    assert [plate.text for plate in plates] == ["أب"]


def test_a_name_that_is_not_utf8_is_told_and_can_be_written_down(folder: Path) -> None:
    add(folder, "good")
    add(folder, os.fsdecode(b"\xb0\xa1"))
    plates, rejected = read(folder)
    assert [plate.name for plate in plates] == ["good.png"]
    assert rejected == {r"images/\udcb0\udca1.png": "its name is not UTF-8, rename it (convmv does whole folders)"}
