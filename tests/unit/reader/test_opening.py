"""Every form in which a caller may have a picture."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acl_core.errors import DataError
from acl_core.reader.opening import open_picture

PICTURE = np.random.default_rng(0).integers(0, 255, (6, 9, 3), dtype=np.uint8)


def png(picture: np.ndarray = PICTURE) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")
    return buffer.getvalue()


def test_all_forms_give_the_same_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    encoded = base64.b64encode(png()).decode()
    forms = [tmp_path / "a.png", str(tmp_path / "a.png"), png(), bytearray(png()), encoded]
    forms += [f"data:image/png;base64,{encoded}", "\n".join([encoded[:40], encoded[40:]])]
    forms += [PICTURE, PICTURE.astype(np.int64), PICTURE / 255, np.dstack([PICTURE, PICTURE[:, :, 0]])]
    for form in forms:
        np.testing.assert_array_equal(open_picture(form), PICTURE)


def test_grey_arrays_become_rgb() -> None:
    grey = PICTURE[:, :, 0]
    for form in (grey, grey[:, :, None]):
        np.testing.assert_array_equal(open_picture(form), np.repeat(grey[:, :, None], 3, axis=2))


def test_a_photograph_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, format="PNG", exif=exif)
    assert open_picture(buffer.getvalue()).shape == (9, 6, 3)


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (b"", "not a picture"),
        (b"GIF89a no", "not a picture"),
        (png()[:60], "damaged picture|not a picture"),
        ("", "empty string"),
        ("nowhere/plate.png", "neither a file nor base64"),
        ("bm8gcGljdHVyZQ==", "not a picture"),
        ("\x00", "neither a file nor base64"),
        ("x" * 300, "not a picture|neither"),
        (Path("nowhere.png"), "not found"),
        (np.zeros((3, 4, 2), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
        (np.zeros(4, np.uint8), "shape"),
        (np.full((2, 2), 1.5), "outside of 0 to 1"),
        (np.full((2, 2), np.nan), "outside of 0 to 1"),
        (np.full((2, 2), 300), "outside of 0 to 255"),
        (np.array([["a", "b"]]), "array of"),
        (np.broadcast_to(np.zeros((1, 1), np.uint8), (9000, 9000)), "64 Mpx"),
        (7, "a int is no picture"),
    ],
)
def test_what_is_no_picture_is_said(picture: object, said: str) -> None:
    with pytest.raises(DataError, match=said):
        open_picture(picture)  # type: ignore[arg-type]


def test_paths_can_be_forbidden(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    with pytest.raises(DataError, match="paths are not read here"):
        open_picture(tmp_path / "a.png", allow_paths=False)
    for name in ("a.png", "b.png"):  # nor does the answer say whether there is such a file
        with pytest.raises(DataError, match="not base64"):
            open_picture(str(tmp_path / name), allow_paths=False)
    np.testing.assert_array_equal(open_picture(base64.b64encode(png()).decode(), allow_paths=False), PICTURE)
