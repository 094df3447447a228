"""Make the small fonts of the synthetic plates from openly licensed (SIL OFL) ones.

A Korean font has some 11,000 glyphs and several MB; a plate needs fewer than 100 of them. This keeps those, drops
hinting and layout tables, and renames the family, because a modified font must not bear a Reserved Font Name (OFL)::

    npm pack @fontsource/jua && tar xzf fontsource-jua-*.tgz
    python -m scripts.subset_fonts --name "Plate B" --out acl_core/sources/synthetic/fonts/plate-b.ttf \
        package/files/jua-korean-400-normal.woff2

Web fonts are often cut into slices of the Unicode range: give all slices of one weight, they are merged. Needs
fonttools and, for ``.woff2``, brotli. ``acl_core/sources/synthetic/fonts/FONTS.md`` lists what was made from what.
"""

import argparse
import logging
import tempfile
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from fontTools.merge import Merger
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from acl_core.sources.synthetic.layout import DIGITS, Layout, load_layout

_LAYOUT = Path(__file__).parents[1] / "acl_core" / "sources" / "synthetic" / "korean_plates.json"
_KEPT_NAMES = (0, 13, 14)  # copyright, licence, address of the licence: the OFL wants them kept
_LICENCE = "This Font Software is licensed under the SIL Open Font License, Version 1.1."
_LICENCE_URL = "https://openfontlicense.org"
_WINDOWS_UNICODE_ENGLISH = (3, 1, 0x409)

logger = logging.getLogger(__name__)


def glyphs_of(layout: Layout) -> str:
    """Every sign that a plate of the layout or the label of a contact sheet can bear, sorted, once each."""
    letters = [*layout.usage_letters.values(), *layout.regions, *chain.from_iterable(layout.other.values())]
    strips = [plate_type.strip.text for plate_type in layout.types.values() if plate_type.strip]
    return "".join(sorted(set("".join([DIGITS, " ", *letters, *strips, *layout.types]))))


def subset(slices: Sequence[Path], text: str, name: str, out: Path) -> int:
    """Write the font that has the signs of ``text`` and nothing else.

    Args:
        slices: Font files (ttf, otf with TrueType outlines, woff, woff2) of one weight that cover ``text`` together.
        text: Signs to keep.
        name: New family name; must not contain a Reserved Font Name of the source.
        out: The ``.ttf`` to write.

    Returns:
        Size of the written file in bytes.

    Raises:
        SystemExit: Signs are missing in all slices.
    """
    with tempfile.TemporaryDirectory() as folder:
        parts = [part for index, path in enumerate(slices) if (part := _cut(path, text, Path(folder) / f"{index}.ttf"))]
        font = (
            Merger().merge([str(part) for part in parts]) if len(parts) > 1 else TTFont(parts[0], recalcTimestamp=False)
        )
        missing = set(text) - set(map(chr, font.getBestCmap()))
        if missing:
            raise SystemExit(f"{slices[0]}: no glyph for {''.join(sorted(missing))}. Give all slices of this weight.")
        _rename(font, name)
        font.save(out)
    return out.stat().st_size


def _cut(path: Path, text: str, out: Path) -> Path | None:
    """Keep the signs of ``text``; None if the slice has none of them."""
    font = TTFont(path, recalcTimestamp=False)  # the same input gives the same bytes
    wanted = set(map(ord, text)) & set(font.getBestCmap())
    if not wanted:
        return None
    options = Options(hinting=False, desubroutinize=True, layout_features=[], notdef_outline=True, name_IDs=_KEPT_NAMES)
    options.drop_tables += ["GPOS", "GSUB", "GDEF", "DSIG", "vhea", "vmtx", "VORG", "BASE", "STAT", "meta", "kern"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    font.flavor = None  # plain TrueType, which FreeType reads without brotli
    font.save(out)
    return out


def _rename(font: TTFont, name: str) -> None:
    style = "Regular"
    table = font["name"]
    table.names = [record for record in table.names if record.nameID in _KEPT_NAMES and record.platformID == 3]
    new = {1: name, 2: style, 3: f"{name} {style}", 4: f"{name} {style}", 6: f"{name.replace(' ', '')}-{style}"}
    for identity, value in {**new, 13: _LICENCE, 14: _LICENCE_URL}.items():
        table.setName(value, identity, *_WINDOWS_UNICODE_ENGLISH)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and write one font."""
    parser = argparse.ArgumentParser(description="Cut an openly licensed Korean font down to what licence plates need.")
    parser.add_argument("slices", nargs="+", type=Path, help="font files of one weight that hold all signs together")
    parser.add_argument("--name", required=True, help="new family name, without any Reserved Font Name of the source")
    parser.add_argument("--out", required=True, type=Path, help="the .ttf to write")
    parser.add_argument("--layout", type=Path, default=_LAYOUT, help="plate layout whose signs are kept")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it lists every glyph that it keeps
    size = subset(options.slices, glyphs_of(load_layout(options.layout)), options.name, options.out)
    logger.info("%s: %d bytes", options.out, size)


if __name__ == "__main__":
    main()
