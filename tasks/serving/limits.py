"""What a request may bring."""

import io
from dataclasses import dataclass

from PIL import Image

from acl_core.sources.pictures import PICTURE_FORMATS


@dataclass(frozen=True)
class Limits:
    """Of one request.

    Attributes:
        max_body: Bytes.
        max_pixels: Of a picture.
        max_pictures: In it.
    """

    max_body: int
    max_pixels: int
    max_pictures: int


class TooLargeError(Exception):
    """A request that will never be taken, however often it comes."""


def check_pixels(picture: bytes, name: str, limits: Limits) -> None:
    """Look at a picture's header before anything is decoded.

    Raises:
        TooLargeError: It has too many pixels.
    """
    try:
        with Image.open(io.BytesIO(picture), formats=PICTURE_FORMATS) as image:
            width, height = image.size
    except Exception:  # noqa: BLE001 - reading it says what is wrong
        return
    if width * height > limits.max_pixels:
        most = limits.max_pixels / 1e6
        raise TooLargeError(f"{name}: {width} x {height} px, more than {most:g} Mpx. Send the plate alone, cropped.")
