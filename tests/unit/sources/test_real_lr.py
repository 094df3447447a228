"""``lr/`` beside a YOLO folder: real LR pictures that were not simulated."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acl_core.data.manifest import Plate
from acl_core.errors import DataError
from acl_core.sources.yolo import open_yolo
from tests.unit.sources.importing import picture, read

LABEL = "0 0.2 0.5 0.1 0.4\n1 0.5 0.5 0.1 0.4\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "labels").mkdir()
    (tmp_path / "classes.txt").write_text("A\nB\n", encoding="utf-8")
    for name in ("one", "two"):
        add(tmp_path, name)
    return tmp_path


def add(folder: Path, name: str, lr: tuple[int, int] | None = (25, 12)) -> None:
    picture(folder / f"images/{name}.png", (100, 50))
    (folder / f"labels/{name}.txt").write_text(LABEL, encoding="utf-8")
    if lr is not None:
        picture(folder / f"lr/{name}.png", lr)


def test_every_plate_has_its_lr_as_it_was_taken(folder: Path) -> None:
    Image.fromarray(np.full((13, 27, 3), 9, np.uint8)).save(folder / "lr/two.png")
    found = open_yolo(folder)
    assert found.paired
    plates, rejected = read(found)
    assert rejected == {}
    assert [plate.lr.shape for plate in plates if plate.lr is not None] == [(12, 25, 3), (13, 27, 3)]
    assert (plates[1].lr == 9).all()
    assert plates[1].hr.shape == (50, 100, 3)


def test_the_two_pictures_may_be_of_different_formats(folder: Path) -> None:
    (folder / "lr/one.png").unlink()
    picture(folder / "lr/one.jpg", (25, 12))
    plates, rejected = read(open_yolo(folder))
    assert (len(plates), rejected) == (2, {})


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        (None, "no picture of this name in lr/"),
        ((120, 40), "lr/bad.png: 120 x 40 px, larger than its HR picture (100 x 50 px)"),
        ((60, 60), "larger than its HR picture"),
        ((25, 5), "has another shape than its HR picture (100 x 50 px), by more than a factor of 1.5"),
        ((20, 20), "has another shape"),
    ],
)
def test_a_pair_that_cannot_be_used_is_rejected(folder: Path, size: tuple[int, int] | None, reason: str) -> None:
    add(folder, "bad", lr=size)
    plates, rejected = read(open_yolo(folder))
    assert [plate.name for plate in plates] == ["one.png", "two.png"]
    assert reason in rejected["images/bad.png"]


def test_damaged_orphaned_and_doubled_lr_pictures(folder: Path) -> None:
    add(folder, "bad")
    (folder / "lr/bad.png").write_bytes(b"")
    picture(folder / "lr/orphan.png", (25, 12))
    picture(folder / "lr/two.webp", (25, 12))
    plates, rejected = read(open_yolo(folder))
    assert len(plates) == 2
    assert "lr/bad.png: not a picture" in rejected["images/bad.png"]
    assert rejected["lr/orphan.png"] == "no picture of this name in images/"
    assert rejected["lr/two.webp"] == "two.png has the same name, rename one of them"


def test_an_empty_lr_folder_and_other_layouts_stop_the_import(folder: Path) -> None:
    for path in (folder / "lr").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"lr: no picture\. Put one for each"):
        open_yolo(folder)
    (folder / "classes.txt").unlink()
    (folder / "data.yaml").write_text("train: images\nnames: [A, B]\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"real pairs need images/, labels/ and classes\.txt"):
        open_yolo(folder)


def test_pairs_of_whole_cars_stop_the_import(folder: Path) -> None:
    (folder / "classes.txt").write_text("A\nB\nplate\n", encoding="utf-8")
    with pytest.raises(DataError, match="real pairs are pictures of plates"):
        read(open_yolo(folder))


def test_without_the_folder_nothing_is_paired(folder: Path) -> None:
    for path in (folder / "lr").iterdir():
        path.unlink()
    (folder / "lr").rmdir()
    found = open_yolo(folder)
    assert not found.paired
    plates: list[Plate] = read(found)[0]
    assert [plate.lr for plate in plates] == [None, None]
