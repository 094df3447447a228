"""Draw a few plates of every type into one picture, ``docs/plate-types.png``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from PIL import Image, ImageDraw, ImageFont

from acl_core.params import Params
from acl_core.params_plates import Synthetic
from acl_core.sources.synthetic.generate import draw_plates
from acl_core.sources.synthetic.layout import Layout, load_layout
from acl_core.sources.synthetic.lettering import font_paths
from tasks.workspace import ROOT, merge, read_profile

_SIZE_PX = (144, 96)
_GAP_PX = 8
_TITLE_PX = 64  # width of the column with the names of the types
_COLOURS = 128  # of the PNG's palette


def plate_types(layout: Layout, params: Synthetic, n: int, seed: int) -> Image.Image:
    """A row for each plate type with ``n`` plates of it."""
    width, height = _SIZE_PX[0] + _GAP_PX, _SIZE_PX[1] + _GAP_PX
    sheet = Image.new("RGB", (_TITLE_PX + n * width, len(layout.types) * height + _GAP_PX), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.truetype(str(font_paths()[4]), 17)
    for row, kind in enumerate(layout.types):
        top = _GAP_PX + row * height
        draw.text((_GAP_PX, top + _SIZE_PX[1] // 2), kind, fill=(60, 60, 60), font=font, anchor="lm")
        only = params.model_copy(update={"types": {kind: 1.0}, "train": n, "validation": 1, "test": 1})
        plates = draw_plates(layout, only, seed + row, max_size=_SIZE_PX)
        for column in range(n):
            picture = Image.fromarray(np.asarray(next(plates).hr))
            free = (_SIZE_PX[0] - picture.width) // 2, (_SIZE_PX[1] - picture.height) // 2
            sheet.paste(picture, (_TITLE_PX + column * width + free[0], top + free[1]))
    return sheet


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and write the picture."""
    parser = argparse.ArgumentParser(description="Draw a few plates of every type into one picture.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "plate-types.png")
    parser.add_argument("--profile", default="paper", help="a file of profiles/")
    parser.add_argument("--plates", type=int, default=6, help="of each type")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    base = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params = Params.model_validate(merge(base, read_profile(options.profile))).plates
    layout = load_layout(ROOT / params.source).with_letters(params.synthetic.letters)
    sheet = plate_types(layout, params.synthetic, options.plates, options.seed)
    sheet.quantize(_COLOURS).save(options.out, optimize=True)


if __name__ == "__main__":
    main()
