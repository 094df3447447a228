"""DVC stage: plates, drawn or imported, as shards with a side of the split each."""

import csv
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from tqdm import tqdm

from acl_core.data.manifest import DatasetCard, Plate, write_plates
from acl_core.errors import DataError
from acl_core.params import Common, PlateFormat, Plates
from acl_core.sources.synthetic.generate import draw_plates
from acl_core.sources.synthetic.layout import load_layout
from acl_core.sources.yolo import Rejected, read_classes, read_yolo
from tasks.stages._main import main

log = logging.getLogger(__name__)


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
    left_out: list[Rejected] = []
    match plates.format:
        case PlateFormat.SYNTHETIC:
            layout = load_layout(source).with_letters(plates.synthetic.letters)
            classes = layout.classes_of(k for k, weight in plates.synthetic.types.items() if weight > 0)
            card = DatasetCard(f"synthetic plates by {source.name}", plates.direction, classes)
            size = (plates.max_width_px, plates.max_height_px)
            stream = draw_plates(layout, plates.synthetic, common.seed, max_size=size, workers=os.cpu_count() or 1)
        case PlateFormat.YOLO:
            card = DatasetCard(f"imported from {source.name}", plates.direction, read_classes(source))
            stream = _usable(read_yolo(source, plates, common.seed), left_out)
    try:
        card = write_plates(tqdm(stream, desc="plates", unit="plate", disable=None), card, out)
    finally:
        _write_rejected(left_out, rejected)
    _judge(left_out, sum(card.plates.values()), plates.max_rejected_share, rejected)
    return {name: float(count) for name, count in card.plates.items()} | {"rejected": float(len(left_out))}


def _usable(stream: Iterator[Plate | Rejected], left_out: list[Rejected]) -> Iterator[Plate]:
    for item in stream:
        if isinstance(item, Rejected):
            left_out.append(item)
        else:
            yield item


def _write_rejected(left_out: list[Rejected], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "reason"])
        writer.writerows((item.file, item.reason) for item in left_out)


def _judge(left_out: list[Rejected], n_usable: int, limit: float, path: Path) -> None:
    """Warn of rejected files; stop when there are too many for the rest to be trusted."""
    if not left_out:
        return
    share = len(left_out) / (len(left_out) + n_usable)
    log.warning("%d of %d files rejected; reasons in %s", len(left_out), len(left_out) + n_usable, path)
    if share > limit:
        raise DataError(
            f"{share:.0%} of the files were rejected, more than plates.max_rejected_share ({limit:.0%}). The first: "
            f"{left_out[0].file}: {left_out[0].reason}. Fix the files listed in {path}, or raise the limit."
        )


if __name__ == "__main__":
    main(run)
