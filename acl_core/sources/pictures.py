"""Pictures from outside: read with limits, turned upright, as 8-bit RGB."""

import io
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from acl_core.errors import DataError

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"})
# Pillow knows many more; a decoder that nobody needs is one more that a crafted file can reach.
PICTURE_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF")
MAX_PIXELS = 64_000_000  # a 64-megapixel photograph; more is taken for a decompression bomb

_TURNS: Mapping[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # EXIF's orientation and what undoes it


def read_picture(source: Path | bytes) -> np.ndarray:
    """Read a picture file, or the bytes of one, as (H, W, 3) uint8 RGB.

    Raises:
        DataError: The file is missing, empty, damaged, larger than 64 megapixels or no picture.
    """
    try:
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        with Image.open(file, formats=PICTURE_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DataError(f"picture of {image.width} x {image.height} px, more than {MAX_PIXELS // 10**6} Mpx")
            image.load()
            return np.asarray(_eight_bit(_upright(image)).convert("RGB"))
    except FileNotFoundError as error:
        raise DataError("picture not found") from error
    # ultralytics, once loaded, replaces Image.open: for a file that Pillow does not know it then asks for pi_heif.
    except (UnidentifiedImageError, ImportError) as error:
        raise DataError(f"not a picture ({' or '.join(PICTURE_FORMATS)})") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"damaged picture ({error})") from error


def fit_within(image: np.ndarray, max_width: int, max_height: int) -> tuple[np.ndarray, tuple[float, float]]:
    """Reduce a picture to fit a size, with antialiased bicubic and its shape kept; a smaller one is left alone.

    Returns:
        The picture and the factors (x, y) by which coordinates in it are to be multiplied.
    """
    height, width = image.shape[:2]
    factor = min(1.0, max_width / width, max_height / height)
    if factor == 1.0:
        return image, (1.0, 1.0)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    reduced = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
    return reduced, (size[0] / width, size[1] / height)


def _upright(image: Image.Image) -> Image.Image:
    """The picture as it was seen. Pillow's ``exif_transpose`` also writes all tags anew, and fails at odd ones."""
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except (struct.error, TypeError, KeyError, AttributeError) as error:  # tags are read as they are asked for
        raise ValueError(f"EXIF: {error}") from error
    return image if turn is None else image.transpose(turn)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Pillow's conversion of 16-bit grey to RGB clips at 255; scale it instead."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        levels = np.asarray(image, dtype=np.float64)
        top = 65535.0 if levels.max(initial=0) > 255 else 255.0
        return Image.fromarray((levels.clip(0, top) * (255 / top)).round().astype(np.uint8))
    return image
