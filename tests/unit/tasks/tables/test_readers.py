"""Readers from outside: what of their text counts, and what a row says where one is missing."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from acl_core.params_plates import Direction
from tasks.tables.readers import scored
from tasks.tables.readers.openalpr import OpenAlpr
from tasks.tables.readers.protocol import Picture, Preparation, ReaderAbsentError, ReaderName, prepared
from tasks.tables.readers.rapidocr import RapidOcr
from tasks.tables.readers.tesseract import Tesseract
from tasks.tables.readers.texts import edits, expected, logical, plain, script_of
from tests.plates import ROOT, write_pairs

HOW = Preparation(height_px=96, border_px=8, max_plates=3)


def plate(*words: str) -> np.ndarray:
    """A plate in plain print, with a wide gap between words; each begins a little higher than the one before."""
    font = ImageFont.truetype(str(ROOT / "acl_core/sources/synthetic/fonts/plate-b.ttf"), 40)
    image = Image.new("RGB", (10 + 230 * len(words), 60), "white")
    for i, word in enumerate(words):
        ImageDraw.Draw(image).text((20 + 230 * i, 6 - 2 * i), word, "black", font)
    return np.asarray(image)


def test_letters_and_digits_alone_count() -> None:
    assert plain(" 12-ab\n가 ٣٤.") == "12AB가34"
    assert plain("12가3", str.isdigit) == "123"


def test_numbers_on_plates_from_right_to_left_are_turned() -> None:
    assert logical("أب321", Direction.RTL) == "أب123"
    assert logical("12가34", Direction.LTR) == "12가34"
    assert expected("أ6-543", Direction.RTL, lambda _: True) == "أ3456"  # a sign does not part a number


def test_scripts() -> None:
    assert [script_of(c) for c in "가أA٣7"] == ["HANGUL", "ARABIC", "LATIN", "DIGIT", "DIGIT"]


@pytest.mark.parametrize(
    ("found", "true", "n"), [("", "", 0), ("12", "", 2), ("", "12", 2), ("1234", "1234", 0), ("1324", "1234", 2)]
)
def test_edits_by_hand(found: str, true: str, n: int) -> None:
    assert edits(found, true) == n


def test_pictures_are_enlarged_and_framed() -> None:
    assert prepared(np.zeros((24, 48, 3), np.uint8), HOW).shape == (96 + 16, 192 + 16, 3)
    assert prepared(np.zeros((200, 400, 3), np.uint8), HOW).shape == (216, 416, 3)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_tesseract_reads_plain_print() -> None:
    assert plain(Tesseract("0123456789").read(prepared(plate("7254"), HOW))) == "7254"


def test_without_the_program_the_row_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ReaderAbsentError, match="tesseract is not installed"):
        Tesseract("0")


def test_rapidocr_reads_digits_and_knows_no_hangul() -> None:
    reader = RapidOcr()
    assert (reader.knows("7"), reader.knows("가"), reader.knows("أ")) == (True, False, False)
    assert plain(reader.read(prepared(plate("7254"), HOW))) == "7254"
    assert plain(reader.read(prepared(plate("725", "9416"), HOW))) == "7259416"


@pytest.mark.skipif("openalpr" in sys.modules, reason="here it is")
def test_openalpr_says_that_it_is_absent() -> None:
    with pytest.raises(ReaderAbsentError, match="libopenalpr"):
        OpenAlpr()


class _Echo:
    """Reads one text on every plate."""

    def __init__(self, characters: Sequence[str]) -> None:
        self.asked = 0

    def knows(self, character: str) -> bool:
        return character != "2"

    def read(self, picture: np.ndarray) -> str:
        self.asked += 1
        return "0QQQQQ1"  # no plate has a Q


def test_a_cell_is_read_once_and_scored_on_what_the_reader_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "models" / "x4" / "pretrain_sr").mkdir(parents=True)
    (tmp_path / "dvc.yaml").symlink_to(ROOT / "dvc.yaml")
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    write_pairs(tmp_path / "data" / "pairs" / "x4")
    echo = _Echo("")
    monkeypatch.setitem(scored.READERS, ReaderName.TESSERACT, lambda _: echo)
    wanted = [(ReaderName.TESSERACT, Picture.BICUBIC), (ReaderName.OPENALPR, Picture.HR)]
    scored.read_cell(tmp_path, 4, wanted, HOW)
    found = scored.load_readings(tmp_path)["found"]
    assert "libopenalpr" in found["openalpr/hr"]["absent"]
    outcome = found["tesseract/bicubic"]
    assert outcome["unknown"] == ["2"]
    assert outcome["classes"] == 3
    assert 0 < len(outcome["plates"]) <= 3
    assert all(0 < n <= 3 for n in outcome["length"])
    assert max(outcome["edits"]) <= 3
    asked = echo.asked
    scored.read_cell(tmp_path, 4, wanted, HOW)
    assert echo.asked == asked == len(outcome["plates"])
