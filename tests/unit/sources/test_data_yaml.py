from pathlib import Path

import pytest

from acl_core.errors import DataError
from acl_core.sources.yolo import is_yolo, open_yolo
from tests.unit.sources.importing import picture, read

GOOD = "0 0.2 0.5 0.1 0.4\n1 0.5 0.5 0.1 0.4\n"


def add(folder: Path, image: str, label: str | None = GOOD) -> None:
    path = picture(folder / image)
    if label is not None:
        text = Path(str(path).replace("/images/", "/labels/")).with_suffix(".txt")
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text(label, encoding="utf-8")


def say(folder: Path, text: str) -> None:
    (folder / "data.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("train: train/images\nval: valid/images\ntest:\n", ["train/images/a.png", "valid/images/b.png"]),
        ("train: ../train/images\nval: ../valid/images\n", ["train/images/a.png", "valid/images/b.png"]),
        ("path: set\ntrain: images/train\nval: images/val\n", ["set/images/train/a.png", "set/images/val/b.png"]),
        ("path: /datasets/set\ntrain: images/train\n", ["images/train/a.png", "images/train/더 b.png"]),
        ("train: [images/one, images/two]\n", ["images/one/a.png", "images/two/b.png"]),
        ("path: .\ntrain: list.txt\n", ["images/train/a.png", "images/train/b c.png"]),
    ],
)
@pytest.mark.parametrize("names", ["names: [0, NO]\n", "nc: 2\nnames:\n  1: NO\n  0: 0\n"])
def test_layouts_that_ultralytics_knows(tmp_path: Path, text: str, images: list[str], names: str) -> None:
    for image in images:
        add(tmp_path, image)
    (tmp_path / "list.txt").write_text("".join(f"./{image}\n" for image in images), encoding="utf-8")
    say(tmp_path, text + names)
    assert is_yolo(tmp_path)
    found = open_yolo(tmp_path)
    assert found.classes == ("0", "NO")
    plates, rejected = read(found)
    assert rejected == {}
    assert [plate.name for plate in plates] == [Path(image).name for image in images]
    assert plates[0].text == "0NO"


def test_whatever_has_no_counterpart_is_named(tmp_path: Path) -> None:
    add(tmp_path, "train/images/good.png")
    add(tmp_path, "train/images/bare.png", None)
    add(tmp_path, "train/images/wrong.png", "2 0.2 0.5 0.1 0.4\n")
    (tmp_path / "train/labels/orphan.txt").write_text(GOOD, encoding="utf-8")
    say(tmp_path, "train: [train/images, list.txt]\nnames: [A, B]\n")
    (tmp_path / "list.txt").write_text("train/images/gone.png\n", encoding="utf-8")
    plates, rejected = read(open_yolo(tmp_path))
    assert [plate.name for plate in plates] == ["good.png"]
    assert rejected == {
        "train/images/bare.png": "no label file train/labels/bare.txt",
        "train/images/gone.png": "no label file train/labels/gone.txt",
        "train/images/wrong.png": "train/labels/wrong.txt line 1: class 2 is not in data.yaml (2 classes, 0-1)",
        "train/labels/orphan.txt": "no picture of this name in images/",
    }


def test_plates_of_whole_cars(tmp_path: Path) -> None:
    add(tmp_path, "images/car.png", "2 0.5 0.5 0.6 0.6\n0 0.4 0.5 0.1 0.4\n1 0.6 0.5 0.1 0.4\n")
    say(tmp_path, "train: images\nnames: [A, B, License Plate]\n")
    plates, _ = read(open_yolo(tmp_path), plate_class="license plate")
    assert plates[0].hr.shape == (30, 60, 3)
    assert plates[0].classes.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: [", "not YAML"),
        ("just words", "needs the keys"),
        ("train: images\n", "names is missing"),
        ("train: images\nnames: {0: A, 2: B}\n", "numbers 0 to 1"),
        ("train: images\nnames: [A, A]\n", "named twice: A"),
        ("train: images\nnames: [A, [B]]\n", "neither a list"),
        ("train: {a: b}\nnames: [A, B]\n", "neither a folder"),
        ("train: elsewhere\nnames: [A, B]\n", "elsewhere: not found"),
        ("train: ../../images\nnames: [A, B]\n", "not found"),
        ("train: empty\nnames: [A, B]\n", "no picture in empty"),
        ("names: [A, B]\n", "no picture in train, val or test"),
        ("train: list.txt\nnames: [A, B]\n", r"list.txt line 1 \(../../etc/a.png\): not found"),
    ],
)
def test_a_bad_file_is_one_sentence_with_its_name(tmp_path: Path, text: str, message: str) -> None:
    add(tmp_path, "images/a.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.txt").write_text("../../etc/a.png\n", encoding="utf-8")
    say(tmp_path, text)
    with pytest.raises(DataError, match=message) as caught:
        open_yolo(tmp_path)
    assert "data.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)
