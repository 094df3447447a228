import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acl_core.errors import DataError
from acl_core.sources.coco import open_coco
from tests.plates import ROOT
from tests.unit.sources.importing import picture, read

KARPLATE = Path(os.environ.get("KARPLATE", ROOT.parent / "shared" / "data" / "karplate"))

CATEGORIES = [{"id": 7, "name": "가"}, {"id": 3, "name": "1"}]
PLATE = {"id": 9, "name": "plate"}
GOOD = [
    {"image_id": 1, "category_id": 3, "bbox": [10, 10, 10, 30]},
    {"image_id": 1, "category_id": 7, "bbox": [40, 10, 20, 30], "segmentation": {"counts": "x", "size": [1, 1]}},
]


def write(
    path: Path, annotations: list[Any], images: list[Any] | None = None, categories: list[Any] | None = None
) -> None:
    images = [{"id": 1, "file_name": "a.png", "width": 100, "height": 50}] if images is None else images
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"images": images, "annotations": annotations, "categories": categories or CATEGORIES}
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("json_file", "picture_file"),
    [
        ("annotations.json", "a.png"),
        ("annotations.json", "images/a.png"),
        ("annotations.json", "JPEGImages/a.png"),
        ("annotations/instances_default.json", "images/a.png"),
        ("annotations/instances_val2017.json", "val2017/a.png"),
        ("annotations/instances_val.json", "images/val/a.png"),
        ("train/_annotations.coco.json", "train/a.png"),
    ],
)
def test_pictures_are_found_where_tools_put_them(tmp_path: Path, json_file: str, picture_file: str) -> None:
    write(tmp_path / json_file, GOOD)
    picture(tmp_path / picture_file)
    plates, rejected = read(open_coco(tmp_path))
    assert rejected == {}
    assert [(p.name, p.text) for p in plates] == [("a.png", "1가")]
    np.testing.assert_allclose(plates[0].boxes, [[10, 10, 20, 40], [40, 10, 60, 40]], atol=1e-4)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_with_spaces_and_letters_of_all_scripts(tmp_path: Path, form: str) -> None:
    name = "가 é 1.png"
    write(tmp_path / "a.json", GOOD, [{"id": 1, "file_name": f"C:\\data\\{name}"}])
    picture(tmp_path / "images" / unicodedata.normalize(form, name))
    plates, _ = read(open_coco(tmp_path))
    assert unicodedata.normalize("NFC", plates[0].name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"category_id": 4}, "a.json annotation 3: category 4 is not in the list (2 categories)"),
        ({"bbox": [10, 10, -5, 5]}, "a.json annotation 3: box without area"),
        ({"bbox": [10, 10, 5]}, "a.json annotation 3: bbox"),
        ({"bbox": [10, 10, "wide", 5]}, "a.json annotation 3: bbox.2"),
        ({"bbox": [10, float("nan"), 5, 5]}, "a.json annotation 3: a coordinate is not a finite number"),
        ({"bbox": [10, 10**400, 5, 5]}, "a.json annotation 3: "),
        ({"bbox": [0.1, 0.1, 0.2, 0.2]}, "a.json annotation 3: coordinates as shares"),
        ({"bbox": None}, "a.json annotation 3: neither a bbox nor a polygon"),
        ({"bbox": None, "segmentation": {"counts": "x", "size": [50, 100]}}, "a.json annotation 3: a mask (RLE) alone"),
        ({"bbox": [10, 10, 10, 30]}, "a.json annotation 3: the same as a.json annotation 1"),
        ({"bbox": None, "segmentation": [[1, 2, 3]]}, "a.json annotation 3: segmentation is no polygon"),
        ({"bbox": None, "segmentation": [["x"]]}, "a.json annotation 3: segmentation is no polygon"),
        ({"bbox": None, "segmentation": [[1, 2, 3, 4]]}, "a.json annotation 3: a polygon needs three corners"),
    ],
)
def test_a_bad_annotation_rejects_its_picture(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    write(tmp_path / "a.json", [*GOOD, {"image_id": 1, "category_id": 3, "bbox": [70, 10, 10, 30]} | change])
    picture(tmp_path / "a.png")
    plates, rejected = read(open_coco(tmp_path))
    assert plates == []
    assert rejected["a.png"].startswith(reason)


def test_whatever_has_no_counterpart_is_named(tmp_path: Path) -> None:
    images = [
        {"id": 1, "file_name": "a.png"},
        {"id": 2, "file_name": "missing.png"},
        {"id": 3, "file_name": "empty.png"},
        {"id": 4},
    ]
    write(tmp_path / "x.json", [*GOOD, {"image_id": 99, "category_id": 3, "bbox": [1, 1, 2, 2]}], images)
    for name in ("a", "empty", "extra"):
        picture(tmp_path / f"{name}.png")
    items = list(open_coco(tmp_path).items)
    reasons = [item.reason for item in items if hasattr(item, "reason")]
    assert reasons[0] == "picture not found: missing.png"
    assert reasons[1].startswith("x.json image 4: file_name")
    assert reasons[2] == "annotations 3: no picture, or only an earlier one, has the id 99"
    assert reasons[3] == "no annotation names this picture"


def test_a_name_that_leaves_the_folder_finds_nothing(tmp_path: Path) -> None:
    picture(tmp_path / "secret.png")
    write(tmp_path / "set" / "a.json", GOOD, [{"id": 1, "file_name": "../secret.png"}])
    assert read(open_coco(tmp_path / "set")) == ([], {"a.json": "picture not found: ../secret.png"})
    write(tmp_path / "set" / "a.json", GOOD, [{"id": 1, "file_name": str(tmp_path / "secret.png")}])
    assert "not found" in read(open_coco(tmp_path / "set"))[1]["a.json"]


def test_plates_of_four_corners_are_rectified(tmp_path: Path) -> None:
    corners = [20, 10, 80, 20, 80, 45, 20, 35]
    write(
        tmp_path / "a.json",
        [
            {"image_id": 1, "category_id": 9, "bbox": [20, 10, 60, 35], "segmentation": [corners]},
            {"image_id": 1, "category_id": 3, "bbox": [30, 18, 8, 14]},
            {"image_id": 1, "category_id": 7, "bbox": [60, 22, 8, 14]},
        ],
        categories=[*CATEGORIES, PLATE],
    )
    picture(tmp_path / "a.png")
    plates, rejected = read(open_coco(tmp_path))
    assert rejected == {}
    assert plates[0].text == "1가"
    assert plates[0].hr.shape == (25, 61, 3)


def test_several_files_are_one_set(tmp_path: Path) -> None:
    write(tmp_path / "train" / "x.json", GOOD)
    write(
        tmp_path / "valid" / "x.json", GOOD, [{"id": 1, "file_name": "b.png"}], [{"id": 3, "name": "Z"}, CATEGORIES[0]]
    )
    picture(tmp_path / "train" / "a.png")
    picture(tmp_path / "valid" / "b.png")
    found = open_coco(tmp_path)
    assert found.classes == ("가", "1", "Z")
    assert [plate.text for plate in read(found)[0]] == ["1가", "Z가"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"images": [', "not JSON"),
        ("[" * 200_000, "not JSON"),
        ("", "not JSON"),
        ("[]", "it: Input should be"),
        ('{"images": [], "annotations": [], "categories": []}', "images: List should have at least 1 item"),
        ('{"images": [{}], "annotations": []}', "categories: Field required"),
        ('{"images": [{}], "annotations": [], "categories": [{"id": 1, "name": " "}]}', "a class is named ''"),
        (
            '{"images": [{}], "annotations": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}',
            "same id",
        ),
        (
            '{"images": [{}], "annotations": [], "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]}',
            "named twice: a",
        ),
    ],
)
def test_a_broken_file_is_one_sentence_with_its_name(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "broken.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        open_coco(tmp_path)
    assert "broken.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_file_and_a_file_over_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="no JSON file"):
        open_coco(tmp_path)
    monkeypatch.setattr("acl_core.sources.coco._MAX_BYTES", 100)
    write(tmp_path / "a.json", GOOD)
    with pytest.raises(DataError, match=r"a\.json: .* more than"):
        open_coco(tmp_path)


@pytest.mark.skipif(not KARPLATE.is_dir(), reason=f"no real plates at {KARPLATE}; set KARPLATE to their folder")
def test_real_korean_plates() -> None:
    plates, rejected = read(open_coco(KARPLATE), min_width_px=96)
    assert len(plates) == 110
    assert all("below plates.min_width_px" in reason for reason in rejected.values())
    assert all(len(plate.classes) == 7 for plate in plates)


def test_ids_that_a_table_wrote_as_floats_keep_pictures_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        picture(tmp_path / f"{name}.png")
    images = [{"id": float(n), "file_name": f"{name}.png"} for n, name in enumerate("ab", 1)]
    marked = [dict(row, image_id=float(n)) for n in (1, 2) for row in GOOD]
    write(tmp_path / "a.json", marked, images)
    plates, rejected = read(open_coco(tmp_path))
    assert rejected == {}
    assert [(p.name, p.text) for p in plates] == [("a.png", "1가"), ("b.png", "1가")]
