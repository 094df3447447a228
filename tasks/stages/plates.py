"""DVC stage: plates, drawn or imported, as shards with a side of the split each."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from acl_core.data.manifest import DatasetCard, write_plates
from acl_core.errors import DataError
from acl_core.params import Common
from acl_core.params_plates import Direction, PlateFormat, Plates
from acl_core.sources.annotations import AnnotatedSet, plates_of
from acl_core.sources.class_list import with_two_classes
from acl_core.sources.coco import open_coco
from acl_core.sources.csv_texts import open_csv
from acl_core.sources.labelme import open_labelme
from acl_core.sources.synthetic.generate import draw_plates
from acl_core.sources.synthetic.layout import load_layout
from acl_core.sources.voc import open_voc
from acl_core.sources.yolo import open_yolo
from tasks.stages._main import main
from tasks.stages._rejected import Rejections

ImportedFormat = Literal[PlateFormat.YOLO, PlateFormat.COCO, PlateFormat.VOC, PlateFormat.LABELME, PlateFormat.CSV]


def run(plates: Plates, common: Common, *, out: Path, rejected: Path) -> Mapping[str, float]:
    """Draw or import plates.

    Args:
        plates: Source and limits.
        common: The seed.
        out: Folder of shards to make.
        rejected: CSV of the files that were left out, each with a reason.

    Raises:
        DataError: The source is missing or unusable, or too much of it was rejected.
    """
    source = Path(plates.source)
    if not source.exists():
        raise DataError(f"{source}: not found. Set plates.source in params.yaml to a folder of plates.")
    total: int | None = None  # of an import, known at the end
    rejections = Rejections(rejected, plates.max_rejected_share)
    match plates.format:
        case PlateFormat.SYNTHETIC:
            layout = load_layout(source).with_letters(plates.synthetic.letters)
            classes = layout.classes_of(k for k, weight in plates.synthetic.types.items() if weight > 0)
            card = DatasetCard(f"synthetic plates by {source.name}", plates.direction, classes)
            size = (plates.max_width_px, plates.max_height_px)
            total = plates.synthetic.train + plates.synthetic.validation + plates.synthetic.test
            stream = draw_plates(layout, plates.synthetic, common.seed, max_size=size, workers=os.cpu_count() or 1)
        case imported:
            found = _open(source, imported, plates.direction)
            classes = found.characters(plates.plate_class)
            card = DatasetCard(f"imported from {source.name}", plates.direction, classes)
            card = replace(card, texts_only=imported is PlateFormat.CSV, aligned=not found.paired)
            stream = rejections.usable(with_two_classes(plates_of(found, plates, common.seed), classes))
    try:
        card = write_plates(tqdm(stream, desc="plates", unit="plate", total=total, disable=None), card, out)
    finally:
        rejections.write()
    rejections.judge(sum(card.plates.values()))
    return {name: float(count) for name, count in card.plates.items()} | {"rejected": float(len(rejections))}


def _open(source: Path, imported: ImportedFormat, direction: Direction) -> AnnotatedSet:
    match imported:
        case PlateFormat.YOLO:
            return open_yolo(source)
        case PlateFormat.COCO:
            return open_coco(source)
        case PlateFormat.VOC:
            return open_voc(source)
        case PlateFormat.LABELME:
            return open_labelme(source)
        case PlateFormat.CSV:
            return open_csv(source, direction)


if __name__ == "__main__":
    main(run)
