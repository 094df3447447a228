"""Draw docs/degradations.png: one synthetic plate under each severity of ``evaluate.suite``, HR above LR.

From the root of the project: ``python -m scripts.draw_degradations docs/degradations.png``.
"""

import sys
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from acl_core.data.batches import PairSet
from acl_core.data.degrade import degrade
from acl_core.data.manifest import DatasetCard, Plate
from acl_core.evaluate.suite import under
from acl_core.params import load_params
from acl_core.params_plates import Direction
from acl_core.sources.synthetic.generate import draw_plates
from acl_core.sources.synthetic.layout import load_layout

SCALE = 4
PLATE = 2  # of those drawn first: sharp and evenly lit, so that what degrades it is the severity
COLUMNS = 4
ZOOM = 2
GAP_PX, LABEL_PX = 12, 16


def main(out: Path) -> None:
    """Write the picture."""
    params = load_params(Path("params.yaml"))
    few = params.plates.synthetic.model_copy(update={"train": PLATE + 1, "validation": 1, "test": 1})
    layout = load_layout(Path(params.plates.source)).with_letters(few.letters)
    size = (params.plates.max_width_px, params.plates.max_height_px)
    drawn = draw_plates(layout, few, params.common.seed, max_size=size, workers=1)
    plate = degrade(next(islice(drawn, PLATE, None)), SCALE)
    pairs = PairSet([plate], DatasetCard("one plate", Direction.LTR, ()), SCALE)
    suite = params.evaluate.suite
    cells = [_cell(name, under(suite.recipes[name], pairs, params.common.seed).plates[0]) for name in suite.severities]
    rows = [cells[i : i + COLUMNS] for i in range(0, len(cells), COLUMNS)]
    width = max(cell.width for cell in cells) + GAP_PX
    heights = [max(cell.height for cell in row) + GAP_PX for row in rows]
    sheet = Image.new("RGB", (COLUMNS * width + GAP_PX, sum(heights) + GAP_PX), "white")
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            sheet.paste(cell, (GAP_PX + c * width, GAP_PX + sum(heights[:r])))
    sheet.save(out, optimize=True)


def _cell(name: str, plate: Plate) -> Image.Image:
    """The severity's name, HR, and LR enlarged without smoothing."""
    hr, lr = _enlarged(plate.hr, ZOOM), _enlarged(plate.lr, ZOOM * SCALE)
    cell = Image.new("RGB", (hr.width, LABEL_PX + hr.height + 2 + lr.height), "white")
    ImageDraw.Draw(cell).text((0, 0), name, fill="black")
    cell.paste(hr, (0, LABEL_PX))
    cell.paste(lr, (0, LABEL_PX + hr.height + 2))
    return cell


def _enlarged(picture: np.ndarray | None, zoom: int) -> Image.Image:
    image = Image.fromarray(np.asarray(picture))
    return image.resize((image.width * zoom, image.height * zoom), Image.Resampling.NEAREST)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
