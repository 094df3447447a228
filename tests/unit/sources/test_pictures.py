"""Pictures of every kind become 8-bit RGB, upright."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from acl_core.errors import DataError
from acl_core.sources.pictures import read_picture
from acl_core.sources.yolo import open_yolo
from tests.unit.sources.importing import read

COLOUR = (200, 100, 50)


def colours(mode: str) -> Image.Image:
    """A picture of 40 x 20 px, its left half in COLOUR, its right half black."""
    image = Image.new("RGB", (40, 20))
    image.paste(COLOUR, (0, 0, 20, 20))
    return image.convert(mode)


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        ("CMYK", "jpg"),
        ("CMYK", "tif"),
        ("P", "png"),
        ("RGBA", "png"),
        ("RGBA", "webp"),
        ("RGB", "bmp"),
        ("YCbCr", "jpg"),
    ],
)
def test_colours_stay(tmp_path: Path, mode: str, suffix: str) -> None:
    colours(mode).save(tmp_path / f"a.{suffix}")
    image = read_picture(tmp_path / f"a.{suffix}")
    assert image.shape == (20, 40, 3)
    assert image.dtype == np.uint8
    np.testing.assert_allclose(image[10, 5], COLOUR, atol=12)
    np.testing.assert_allclose(image[10, 35], 0, atol=12)


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_grey_stays_grey(tmp_path: Path, mode: str) -> None:
    colours("L").convert(mode).save(tmp_path / "a.png")
    image = read_picture(tmp_path / "a.png")
    assert image.shape == (20, 40, 3)
    assert (image == image[..., :1]).all()
    assert image[:, :20].mean() == pytest.approx(124, abs=20)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_scaled_not_cut(tmp_path: Path, suffix: str, channels: int) -> None:
    levels = np.linspace(0, 65535, 40).astype(np.uint16)[None].repeat(20, axis=0)
    cv2.imwrite(str(tmp_path / f"a.{suffix}"), np.dstack([levels] * channels).squeeze())
    image = read_picture(tmp_path / f"a.{suffix}")
    np.testing.assert_allclose(image[0, :, 0].astype(float), levels[0] / 257, atol=1)


def test_a_turned_picture_is_turned_upright_and_boxes_mean_the_upright_one(tmp_path: Path) -> None:
    upright = Image.new("RGB", (100, 50), (255, 255, 255))
    upright.paste((0, 0, 0), (10, 10, 20, 40))
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    (tmp_path / "classes.txt").write_text("A\nB\n", encoding="utf-8")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees to the right
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "images" / "a.jpg", exif=exif, quality=95)
    (tmp_path / "labels" / "a.txt").write_text("0 0.15 0.5 0.1 0.6\n", encoding="utf-8")
    plates, _ = read(open_yolo(tmp_path))
    assert plates[0].hr.shape == (50, 100, 3)
    left, top, right, bottom = plates[0].boxes[0].round().astype(int)
    assert (left, top, right, bottom) == (10, 10, 20, 40)
    assert plates[0].hr[top + 2 : bottom - 2, left + 2 : right - 2].max() < 40


def test_a_decompression_bomb_is_told_by_its_header(tmp_path: Path) -> None:
    """A PNG of 100,000 x 100,000 pixels in a hundred bytes: refused before a pixel is unpacked."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, data, b"IEND")]
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    with pytest.raises(DataError, match=r"100000 x 100000 px|decompression bomb") as caught:
        read_picture(tmp_path / "bomb.png")
    assert "\n" not in str(caught.value)


def test_a_turned_picture_with_an_odd_tag_is_read(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x0100] = 6, 7  # orientation, and a width
    Image.new("RGB", (30, 20)).save(tmp_path / "a.jpg", exif=exif)
    data = (tmp_path / "a.jpg").read_bytes()
    for entry in (b"\x01\x00\x00\x04", b"\x01\x00\x00\x03", b"\x00\x01\x03\x00", b"\x00\x01\x04\x00"):
        odd = entry[:2] + (b"\x00\x02" if entry[2] == 0 else b"\x02\x00")  # its type becomes a text
        data = data.replace(entry, odd, 1)
    assert data != (tmp_path / "a.jpg").read_bytes()
    assert read_picture(data).shape == (30, 20, 3)
