"""Which format a folder of plates has."""

from itertools import islice
from pathlib import Path

from acl_core.params_plates import PlateFormat
from acl_core.sources.coco import coco_files, is_coco_file
from acl_core.sources.csv_texts import is_csv
from acl_core.sources.labelme import is_labelme_file
from acl_core.sources.voc import is_voc_file
from acl_core.sources.yolo import is_yolo

NEEDS = {
    PlateFormat.YOLO: "images/, labels/ and classes.txt, or a data.yaml",
    PlateFormat.COCO: "a JSON file with images, annotations and categories, here or one folder below",
    PlateFormat.VOC: "an XML file for each picture",
    PlateFormat.LABELME: "a JSON file with shapes for each picture",
    PlateFormat.CSV: "a table of pictures and texts, which can be scored and not trained on",
}
_LOOK_AT = 20  # files; a folder with more that are something else is not recognised


def recognise(folder: Path) -> PlateFormat | None:
    """The format of a folder, by what lies in it; None if it is none that can be imported."""
    if is_yolo(folder):
        return PlateFormat.YOLO
    if any(map(is_coco_file, coco_files(folder)[:_LOOK_AT])):
        return PlateFormat.COCO
    if any(map(is_voc_file, islice(folder.rglob("*.xml"), _LOOK_AT))):
        return PlateFormat.VOC
    if any(map(is_labelme_file, islice(folder.rglob("*.json"), _LOOK_AT))):
        return PlateFormat.LABELME
    return PlateFormat.CSV if is_csv(folder) else None
