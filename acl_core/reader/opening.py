"""Pictures in whatever form a caller has them, as 8-bit RGB."""

import base64
import binascii
from pathlib import Path

import numpy as np

from acl_core.errors import DataError
from acl_core.sources.pictures import MAX_PIXELS, read_picture

Picture = np.ndarray | Path | bytes | str

_MAX_PATH = 4096  # characters; a longer string is no path
_CHANNELS = (1, 3, 4)


def open_picture(picture: Picture, *, allow_paths: bool = True) -> np.ndarray:
    """Bring a picture into one form.

    Args:
        picture: A path; the bytes of a picture file; these in base64, with or without ``data:image/...;base64,``; or an
            array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of 8-bit levels, or of floats in [0, 1], RGB.
        allow_paths: False where the caller must not make this machine open its files.

    Returns:
        (H, W, 3) uint8 RGB, upright.

    Raises:
        DataError: It is no picture, damaged, empty or larger than 64 megapixels, or a path that is not allowed.
    """
    if isinstance(picture, np.ndarray):
        return _from_array(picture)
    if isinstance(picture, bytes | bytearray | memoryview):
        return read_picture(bytes(picture))
    if isinstance(picture, Path):
        if not allow_paths:
            raise DataError("paths are not read here. Send the picture itself.")
        return read_picture(picture)
    if isinstance(picture, str):
        return _from_text(picture, allow_paths)
    raise DataError(f"a {type(picture).__name__} is no picture. Give a path, bytes, base64 or an array.")


def from_base64(text: str) -> bytes:
    """The bytes of a picture file in base64, with or without ``data:image/...;base64,``.

    Raises:
        DataError: It is not base64, or empty.
    """
    return _decode(text, "not base64")


def _from_text(text: str, allow_paths: bool) -> np.ndarray:
    """Base64 never names an existing file by accident: a picture has hundreds of characters."""
    if allow_paths and len(text) <= _MAX_PATH and _exists(Path(text)):
        return read_picture(Path(text))
    return read_picture(_decode(text, "neither a file nor base64" if allow_paths else "not base64"))


def _decode(text: str, otherwise: str) -> bytes:
    encoded = text.partition(",")[2] if text.startswith("data:") else text
    try:
        data = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"{text[:60]!r}: {otherwise}. Give a path, or a picture file in base64.") from error
    if not data:
        raise DataError("an empty string is no picture. Give a path, or a picture file in base64.")
    return data


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file system takes
        return False


def _from_array(array: np.ndarray) -> np.ndarray:
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in _CHANNELS or 0 in array.shape:
        raise DataError(f"array of shape {array.shape}: a picture is (height, width) or (height, width, 1, 3 or 4).")
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise DataError(f"picture of {array.shape[1]} x {array.shape[0]} px, more than {MAX_PIXELS // 10**6} Mpx")
    levels = array[:, :, :3] if array.shape[2] != 1 else np.repeat(array, 3, axis=2)
    return np.ascontiguousarray(_levels(levels))


def _levels(array: np.ndarray) -> np.ndarray:
    """uint8 of integer levels in [0, 255] or of floats in [0, 1]."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_ or not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise DataError(f"array of {array.dtype}: a picture has integers from 0 to 255 or floats from 0 to 1.")
    top = 255 if np.issubdtype(array.dtype, np.integer) else 1
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > top:
        raise DataError(f"array of {array.dtype} with levels outside of 0 to {top}.")
    return np.asarray((array * (255 / top)).round().astype(np.uint8))
