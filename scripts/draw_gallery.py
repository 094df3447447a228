"""Draw docs/gallery.png: test plates as each method saw and read them when the root was last evaluated.

From the root of the project, after ``make run``: ``python -m scripts.draw_gallery docs/gallery.png``. Wrong characters
stand on red, missing ones are a frame.
"""

import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tasks.report.labels import GALLERY, GALLERY_TITLES

FOLDER = Path("evaluations/x4/gallery")
FONT = Path("acl_core/sources/synthetic/fonts/plate-a.ttf")  # has digits and the letters of Korean plates
ROWS = 6
COLUMN_PX, ROW_PX, PICTURE_PX, TITLE_PX, TEXT_PX = 176, 106, (160, 64), 30, 16
GREEN, RED, GREY = "#0f7040", "#b3241c", "#5a6470"

Text = list[tuple[str, bool]]  # a character, empty where one is missing, and whether it is right


def main(out: Path) -> None:
    """Write the picture."""
    entries = json.loads((FOLDER / "gallery.json").read_text(encoding="utf-8"))[:ROWS]
    font, title_font = ImageFont.truetype(FONT, TEXT_PX), ImageFont.load_default(TEXT_PX - 2)
    sheet = Image.new("RGB", (COLUMN_PX * (1 + len(GALLERY)), TITLE_PX + ROW_PX * len(entries)), "white")
    pen = ImageDraw.Draw(sheet)
    for column, title in enumerate(["plate", *GALLERY_TITLES.values()]):
        pen.text((COLUMN_PX * column + COLUMN_PX / 2, TITLE_PX / 2), title, GREY, title_font, anchor="mm")
    for row, entry in enumerate(entries):
        top = TITLE_PX + ROW_PX * row
        pen.line([(0, top), (sheet.width, top)], "#d5dade")
        _write(pen, 0, top + PICTURE_PX[1] // 2, [(character, True) for character in entry["true"]], font, GREY)
        for column, (name, method) in enumerate(GALLERY.items(), start=1):
            _show(sheet, COLUMN_PX * column, top + 6, FOLDER / f"{row:02d}-{name}.png", smooth=name != "lr")
            if method:
                _write(pen, COLUMN_PX * column, top + PICTURE_PX[1] + 22, entry["texts"][method], font, GREEN)
    sheet.quantize(128).save(out, optimize=True)


def _show(sheet: Image.Image, left: int, top: int, path: Path, *, smooth: bool) -> None:
    with Image.open(path) as picture:
        zoom = min(PICTURE_PX[0] / picture.width, PICTURE_PX[1] / picture.height)
        size = (round(picture.width * zoom), round(picture.height * zoom))
        shown = picture.convert("RGB").resize(size, Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST)
    sheet.paste(shown, (left + (COLUMN_PX - size[0]) // 2, top))


def _write(
    pen: ImageDraw.ImageDraw, left: int, middle: int, text: Text, font: ImageFont.FreeTypeFont, colour: str
) -> None:
    """Each character in a cell of its own, so that texts stand below each other."""
    start = left + (COLUMN_PX - TEXT_PX * len(text)) / 2
    for index, (character, is_right) in enumerate(text):
        x = start + TEXT_PX * index
        cell = (x + 1, middle - TEXT_PX / 2 - 2, x + TEXT_PX - 1, middle + TEXT_PX / 2 + 2)
        if not is_right:
            pen.rounded_rectangle(cell, 3, fill=RED if character else None, outline=RED)
        pen.text((x + TEXT_PX / 2, middle), character, colour if is_right else "white", font, anchor="mm")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
