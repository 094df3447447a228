"""Light, noise and compression; pictures (H, W, 3) uint8 RGB."""

import io
from typing import Literal

import cv2
import numpy as np
from PIL import Image

_ENCODING_GAMMA = 2.2  # stops count light, pictures are gamma-encoded


def noise(picture: np.ndarray, shot: float, read: float, rng: np.random.Generator) -> np.ndarray:
    """Photons come at random (Poisson), and the sensor adds noise of its own (normal).

    Args:
        picture: What is seen; its levels, as they are encoded, stand for light.
        shot: Standard deviation at white as a share of full scale: white is 1 / shot ** 2 photons.
        read: Standard deviation at every level as a share of full scale.
        rng: Source of randomness.

    Returns:
        A picture whose variance at level x in [0, 1] is ``shot ** 2 * x + read ** 2``, rounded and clipped.
    """
    if shot == 0 and read == 0:
        return picture
    levels: np.ndarray = picture / 255
    if shot > 0:
        levels = rng.poisson(levels / shot**2) * shot**2
    if read > 0:
        levels = levels + rng.normal(0, read, picture.shape)
    return _to_uint8(levels)


def tone(picture: np.ndarray, gamma: float, exposure_stops: float) -> np.ndarray:
    """Exposure, then gamma: ``(level * 2 ** (stops / 2.2)) ** gamma``, clipped at white."""
    levels = np.arange(256) / 255 * 2 ** (exposure_stops / _ENCODING_GAMMA)
    return np.asarray(cv2.LUT(picture, _to_uint8(levels.clip(0, 1) ** gamma)))


def compress(picture: np.ndarray, codec: Literal["JPEG", "WEBP"], quality: int) -> np.ndarray:
    """The picture after it was compressed, with loss, and read again.

    Args:
        picture: What is compressed.
        codec: JPEG has 4:2:0 colour; lossy WebP always has.
        quality: 1 to 100, as libjpeg and libwebp understand it. 100 is not without loss.
    """
    return decoded(encoded(picture, codec, quality))


def encoded(picture: np.ndarray, codec: Literal["JPEG", "WEBP"], quality: int) -> bytes:
    """The bytes of :func:`compress`."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format=codec, quality=quality)
    return buffer.getvalue()


def decoded(data: bytes) -> np.ndarray:
    """(H, W, 3) uint8 RGB of :func:`encoded`."""
    with Image.open(io.BytesIO(data), formats=["JPEG", "WEBP"]) as image:
        return np.asarray(image.convert("RGB"))


def _to_uint8(levels: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(levels.clip(0, 1) * 255), dtype=np.uint8)
