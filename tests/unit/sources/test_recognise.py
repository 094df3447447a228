import json
from pathlib import Path

import pytest

from acl_core.params_plates import PlateFormat
from acl_core.sources.recognise import NEEDS, recognise

COCO = {"images": [], "annotations": [], "categories": []}
LABELME = {"version": "5", "shapes": [], "imagePath": "a.png"}


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"images/": "", "labels/": "", "classes.txt": "A\n"}, PlateFormat.YOLO),
        ({"data.yaml": "names: [A]"}, PlateFormat.YOLO),
        ({"annotations.json": json.dumps(COCO)}, PlateFormat.COCO),
        ({"train/_annotations.coco.json": json.dumps(COCO)}, PlateFormat.COCO),
        ({"annotations/instances.json": json.dumps(COCO)[:-1]}, PlateFormat.COCO),
        ({"Annotations/a.xml": "<annotation/>", "classes.txt": "A\n"}, PlateFormat.VOC),
        ({"deep/er/a.xml": '<?xml version="1.0"?><annotation></annotation>'}, PlateFormat.VOC),
        ({"a.json": json.dumps(LABELME)}, PlateFormat.LABELME),
        ({"images/": "", "labels/a.json": json.dumps(LABELME)}, PlateFormat.LABELME),
        ({"a.json": "{}", "b.xml": "<svg/>", "images/": "", "labels/": ""}, None),
        ({"a.json": ""}, None),
        ({}, None),
    ],
)
def test_a_folder_is_known_by_what_lies_in_it(tmp_path: Path, files: dict[str, str], found: PlateFormat | None) -> None:
    for name, text in files.items():
        path = tmp_path / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_text(text, encoding="utf-8")
    assert recognise(tmp_path) is found


def test_keys_are_found_wherever_a_long_file_has_them(tmp_path: Path) -> None:
    for shift in range(12):
        text = '{"images": [], "a": "' + "x" * (2**20 - 30 - shift) + '", "categories": [], "annotations": []}'
        (tmp_path / "a.json").write_text(text, encoding="utf-8")
        assert recognise(tmp_path) is PlateFormat.COCO


def test_every_format_but_the_drawn_one_says_what_it_needs() -> None:
    assert set(NEEDS) == set(PlateFormat) - {PlateFormat.SYNTHETIC}
