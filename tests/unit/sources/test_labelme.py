import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acl_core.errors import DataError
from acl_core.sources.labelme import open_labelme
from tests.unit.sources.importing import picture, read


def marked(label: object, *points: object, kind: str = "rectangle") -> dict[str, Any]:
    return {"label": label, "points": list(points), "shape_type": kind}


A = marked("A", [20, 40], [10, 10])
B = marked("ب", [40, 10], [60, 10], [60, 40], [40, 40], kind="polygon")


def write(path: Path, shapes: list[Any], **fields: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"version": "5.5.0", "shapes": shapes, "imagePath": "a.png", "imageData": None} | fields
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


@pytest.mark.parametrize(
    ("json_file", "picture_file", "path"),
    [
        ("a.json", "a.png", "a.png"),
        ("labels/a.json", "images/a.png", "..\\images\\a.png"),
        ("labels/a.json", "images/a.png", "D:\\plates\\a.png"),
        ("자동차 1.json", "자동차 1.png", "gone.png"),
    ],
)
def test_pictures_are_found_where_tools_put_them(tmp_path: Path, json_file: str, picture_file: str, path: str) -> None:
    write(tmp_path / json_file, [A, B], imagePath=path, imageWidth=100, imageHeight=50)
    picture(tmp_path / picture_file)
    found = open_labelme(tmp_path)
    assert found.classes == ("A", "ب")
    plates, rejected = read(found)
    assert rejected == {}
    assert [(p.name, p.text) for p in plates] == [(Path(picture_file).name, "Aب")]
    np.testing.assert_allclose(plates[0].boxes, [[10, 10, 20, 40], [40, 10, 60, 40]], atol=1e-4)


def test_the_embedded_picture_is_used_only_when_the_file_is_missing(tmp_path: Path) -> None:
    large, small = picture(tmp_path / "set" / "a.png"), picture(tmp_path / "other.png", (80, 45))
    data = base64.b64encode(small.read_bytes()).decode()
    write(tmp_path / "set" / "a.json", [A, B], imageData=data)
    assert read(open_labelme(tmp_path / "set"))[0][0].hr.shape == (50, 100, 3)
    large.unlink()
    plates, rejected = read(open_labelme(tmp_path / "set"))
    assert rejected == {}
    assert plates[0].hr.shape == (45, 80, 3)
    assert plates[0].name == "a.png"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "picture not found: a.png"),
        ("%%%", "picture not found, and imageData is no base64"),
        (base64.b64encode(b"text").decode(), "not a picture"),
    ],
)
def test_no_picture_at_all(tmp_path: Path, data: str | None, reason: str) -> None:
    write(tmp_path / "a.json", [A, B], imageData=data)
    assert reason in read(open_labelme(tmp_path))[1]["a.json"]


def test_a_plate_polygon_of_a_whole_car(tmp_path: Path) -> None:
    plate = marked("plate", [80, 45], [20, 35], [20, 10], [80, 20], kind="polygon")
    write(tmp_path / "a.json", [plate, marked("A", [30, 18], [38, 32]), marked("B", [60, 22], [68, 36])])
    picture(tmp_path / "a.png")
    plates, _ = read(open_labelme(tmp_path))
    assert plates[0].text == "AB"
    assert plates[0].hr.shape == (25, 61, 3)


@pytest.mark.parametrize(
    ("shape", "file", "reason"),
    [
        (marked("A", [10, 10], kind="point"), "bad.json", "bad.json shape 2: point of 1 points"),
        (marked("A", [10, 10], [20, 20], kind="circle"), "bad.json", "bad.json shape 2: circle of 2 points"),
        (marked("A", [10, 10], kind="rectangle"), "bad.json", "bad.json shape 2: rectangle of 1 points"),
        (marked(" ", [10, 10], [20, 20]), "bad.json", "bad.json shape 2: no label"),
        (marked(7, [10, 10], [20, 20]), "bad.json", "bad.json: shapes.1.label"),
        (marked("A", [10], [20, 20]), "bad.json", "bad.json: shapes.1.points.0"),
        (marked("A", [float("nan"), 10], [20, 20]), "bad.png", "bad.json shape 2: a coordinate is not a finite"),
        (marked("A", [10, 10], [10, 20]), "bad.png", "bad.json shape 2: box without area"),
        (marked("A", [0.1, 0.1], [0.2, 0.3]), "bad.png", "bad.json shape 2: coordinates as shares"),
        (marked("A", [-30, 10], [20, 20]), "bad.png", "bad.json shape 2: box stands outside"),
    ],
)
def test_a_bad_shape_rejects_the_file_with_its_row(tmp_path: Path, shape: object, file: str, reason: str) -> None:
    write(tmp_path / "good.json", [A, B], imagePath="good.png")
    write(tmp_path / "bad.json", [A, shape], imagePath="bad.png")
    for name in ("good", "bad"):
        picture(tmp_path / f"{name}.png")
    plates, rejected = read(open_labelme(tmp_path))
    assert [plate.name for plate in plates] == ["good.png"]
    assert list(rejected) == [file]
    assert rejected[file].startswith(reason)


def test_broken_files_are_rejected_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acl_core.sources.labelme._MAX_BYTES", 1000)
    write(tmp_path / "a.json", [A, B])
    write(tmp_path / "large.json", [A, B], imageData="A" * 2000)
    (tmp_path / "broken.json").write_text('{"shapes": [', encoding="utf-8")
    for name in ("a", "broken", "orphan"):
        picture(tmp_path / f"{name}.png")
    plates, rejected = read(open_labelme(tmp_path))
    assert [plate.name for plate in plates] == ["a.png"]
    assert "broken.json: not JSON" in rejected["broken.json"]
    assert "more than" in rejected["large.json"]
    assert rejected["orphan.png"] == "no annotation names this picture"
    assert len(rejected) == 3


def test_an_empty_folder_and_a_set_of_one_class(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \.json file"):
        open_labelme(tmp_path)
    write(tmp_path / "a.json", [A])
    with pytest.raises(DataError, match="only the class 'A'"):
        read(open_labelme(tmp_path))
