from pathlib import Path

import numpy as np
import pytest

from acl_core.errors import DataError
from acl_core.sources.voc import open_voc
from tests.unit.sources.importing import picture, read

BOX = "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"
ENTITIES = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'


def marked(name: str, *box: object) -> str:
    return f"<object><name>{name}</name>{BOX.format(*box)}</object>"


GOOD = marked("A", 10, 10, 20, 40) + marked("ب", 40, 10, 60.5, 40)


def write(path: Path, objects: str, filename: str = "a.png", size: tuple[int, int] = (100, 50), head: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
    path.write_text(f"{head}<annotation><filename>{filename}</filename>{sizes}{objects}</annotation>", encoding="utf-8")


@pytest.mark.parametrize(
    ("xml", "picture_file"),
    [
        ("Annotations/a.xml", "JPEGImages/a.png"),
        ("a.xml", "a.png"),
        ("annotations/a.xml", "images/a.png"),
        ("train/a.xml", "train/a.png"),
    ],
)
def test_pictures_are_found_where_tools_put_them(tmp_path: Path, xml: str, picture_file: str) -> None:
    write(tmp_path / xml, GOOD)
    picture(tmp_path / picture_file)
    found = open_voc(tmp_path)
    assert found.classes == ("A", "ب")
    plates, rejected = read(found)
    assert rejected == {}
    assert [(p.name, p.text) for p in plates] == [("a.png", "Aب")]
    np.testing.assert_allclose(plates[0].boxes, [[10, 10, 20, 40], [40, 10, 60.5, 40]], atol=1e-4)


def test_a_renamed_picture_is_found_by_the_name_of_its_file(tmp_path: Path) -> None:
    write(tmp_path / "번호 1.xml", GOOD, filename="/home/me/old.jpg", size=(0, 0))
    picture(tmp_path / "번호 1.png")
    assert [plate.name for plate in read(open_voc(tmp_path))[0]] == ["번호 1.png"]


def test_a_class_list_wins_over_the_labels_that_occur(tmp_path: Path) -> None:
    write(tmp_path / "a.xml", GOOD)
    picture(tmp_path / "a.png")
    (tmp_path / "classes.txt").write_text("ب\nC\n", encoding="utf-8")
    found = open_voc(tmp_path)
    assert found.classes == ("ب", "C")
    assert read(found)[1] == {"a.png": "a.xml object 1: class 'A' is not in the list (2 classes)"}


def turned(name: str, *numbers: float) -> str:
    cells = zip(("cx", "cy", "w", "h", "angle"), numbers, strict=True)
    inside = "".join(f"<{cell}>{number}</{cell}>" for cell, number in cells)
    return f"<object><name>{name}</name><robndbox>{inside}</robndbox></object>"


def test_turned_boxes(tmp_path: Path) -> None:
    write(tmp_path / "a.xml", turned("plate", 50, 25, 60, 20, 0.2) + turned("A", 35, 22, 6, 12, 0.2))
    write(tmp_path / "b.xml", turned("B", 50, 25, 30, 10, np.pi / 2) + turned("A", 20, 25, 0, 10, 0), "b.png")
    write(tmp_path / "c.xml", turned("plate", 50, 25, 60, 20, 0) + turned("B", 50, 25, 10, 16, np.pi / 2), "c.png")
    for name in "abc":
        picture(tmp_path / f"{name}.png")
    plates, rejected = read(open_voc(tmp_path))
    assert rejected == {"b.xml": "b.xml object 2: box without area"}
    assert plates[0].hr.shape == (20, 60, 3)
    assert plates[0].text == "A"
    np.testing.assert_allclose(plates[1].boxes, [[22, 5, 38, 15]], atol=1e-4)


def test_a_polygon_of_a_plate(tmp_path: Path) -> None:
    points = [(20, 10), (80, 20), (80, 45), (20, 35)]
    corners = "".join(f"<x{i}>{x}</x{i}><y{i}>{y}</y{i}>" for i, (x, y) in enumerate(points, 1))
    plate = f"<object><name>Plate</name><polygon>{corners}</polygon>{BOX.format(20, 10, 80, 45)}</object>"
    write(tmp_path / "a.xml", plate + marked("A", 30, 18, 38, 32) + marked("B", 60, 22, 68, 36))
    picture(tmp_path / "a.png")
    plates, _ = read(open_voc(tmp_path))
    assert plates[0].text == "AB"
    assert plates[0].hr.shape == (25, 61, 3)


@pytest.mark.parametrize(
    ("objects", "file", "reason"),
    [
        (marked("A", 20, 10, 10, 40), "bad.png", "bad.xml object 1: box without area"),
        (marked("A", "nan", 10, 20, 40), "bad.png", "bad.xml object 1: a coordinate is not a finite number"),
        (marked("A", "", 10, 20, 40), "bad.xml", "bad.xml object 1: xmin is no number"),
        (marked("A", 0.1, 0.1, 0.2, 0.4), "bad.png", "bad.xml object 1: coordinates as shares"),
        (marked(" ", 10, 10, 20, 40), "bad.xml", "bad.xml object 1: no name"),
        ("<object><name>A</name></object>", "bad.xml", "bad.xml object 1: neither bndbox nor polygon"),
        (
            "<object><name>A</name><polygon><x1>1</x1></polygon></object>",
            "bad.xml",
            "bad.xml object 1: a polygon needs",
        ),
        ("", "bad.png", "nothing is annotated"),
        ("<object>", "bad.xml", "bad.xml: not XML"),
    ],
)
def test_a_bad_file_is_rejected_with_its_row(tmp_path: Path, objects: str, file: str, reason: str) -> None:
    write(tmp_path / "good.xml", GOOD, "good.png")
    write(tmp_path / "bad.xml", objects, "bad.png")
    for name in ("good", "bad"):
        picture(tmp_path / f"{name}.png")
    plates, rejected = read(open_voc(tmp_path))
    assert [plate.name for plate in plates] == ["good.png"]
    assert list(rejected) == [file]
    assert rejected[file].startswith(reason)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_entity_bomb_is_not_unpacked(tmp_path: Path, encoding: str) -> None:
    write(tmp_path / "good.xml", GOOD, "good.png")
    write(
        tmp_path / "bomb.xml", marked("&b;", 1, 1, 2, 2), head=f'<?xml version="1.0" encoding="{encoding}"?>{ENTITIES}'
    )
    text = (tmp_path / "bomb.xml").read_text(encoding="utf-8")
    (tmp_path / "bomb.xml").write_text(text, encoding=encoding)
    found = open_voc(tmp_path)
    assert found.classes == ("A", "ب")
    assert "has a DOCTYPE" in read(found)[1]["bomb.xml"]


def test_whatever_has_no_counterpart_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a.xml", GOOD)
    picture(tmp_path / "b.png")
    assert read(open_voc(tmp_path))[1] == {
        "a.xml": "picture not found: a.png",
        "b.png": "no annotation names this picture",
    }


def test_an_empty_folder_and_a_file_over_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"no \.xml file"):
        open_voc(tmp_path)
    write(tmp_path / "b.xml", GOOD)
    write(tmp_path / "a.xml", GOOD + " " * 2000)
    picture(tmp_path / "b.png")
    monkeypatch.setattr("acl_core.sources.voc._MAX_BYTES", 1000)
    assert "more than" in read(open_voc(tmp_path))[1]["a.xml"]
