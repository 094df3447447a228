"""Tables of pictures and texts."""

from pathlib import Path

import pytest

from acl_core.data.manifest import Side
from acl_core.errors import DataError
from acl_core.params_plates import Direction, PlateFormat
from acl_core.sources.csv_texts import is_csv, open_csv
from acl_core.sources.recognise import recognise
from tests.unit.sources.importing import picture, read


def table(folder: Path, text: str | bytes, name: str = "plates.csv") -> Path:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


@pytest.mark.parametrize(
    "text",
    [
        "image,text\na.png,12가\nsub/b c.png,34나\n",
        "\ufeffFile;Width;Plate\r\na.png;9;12가\r\nsub/b c.png;9;34나\r\n",
        'plate\tpath\n"12 가"\t"a.png"\n34나\t"sub/b c.png"\n',
        "label|image\n12가|a.png\n\n34나|C:\\data\\sub\\b c.png\n",
        "filename,text\na.png,12가\nsub/b c.png,34나\n".encode("utf-16"),
    ],
)
def test_columns_delimiters_and_encodings_are_found(tmp_path: Path, text: str | bytes) -> None:
    picture(tmp_path / "a.png", (30, 15))
    picture(tmp_path / "sub" / "b c.png")
    if "data" in str(text):
        (tmp_path / "sub" / "b c.png").rename(tmp_path / "b c.png")
    table(tmp_path, text)
    assert recognise(tmp_path) is PlateFormat.CSV
    found = open_csv(tmp_path, Direction.LTR)
    assert found.classes == ("1", "2", "3", "4", "가", "나")
    plates, rejected = read(found, min_width_px=96)
    assert rejected == {}
    assert [(p.name, p.text, p.split) for p in plates] == [
        ("a.png", "12가", Side.TEST),
        ("b c.png", "34나", Side.TEST),
    ]
    assert plates[0].hr.shape == (15, 30, 3)
    assert plates[0].boxes.shape == (0, 4)
    assert plates[0].classes.shape == (0,)


def test_numbers_of_plates_that_are_read_from_the_right_are_turned(tmp_path: Path) -> None:
    for name in ("a", "b"):
        picture(tmp_path / f"{name}.png")
    table(tmp_path, "image,text\na.png,أ ب 1234\nb.png,ب٥٦أ\n")
    assert [p.text for p in read(open_csv(tmp_path, Direction.RTL))[0]] == ["أب4321", "ب٦٥أ"]
    assert [p.text for p in read(open_csv(tmp_path, Direction.LTR))[0]] == ["أب1234", "ب٥٦أ"]


def test_rows_that_cannot_be_used_are_named_by_their_line(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "extra"):
        picture(tmp_path / f"{name}.png")
    picture(tmp_path / "tiny.png", (30, 4))
    picture(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "zero.png").write_bytes(b"")
    rows = ["a.png,12", "b.png", "c.png, ", "a.png,12", "../a.png,34", "zero.png,5", "tiny.png,6", "elsewhere/a.png,7"]
    table(tmp_path, "image,text\n" + "\n".join(rows) + "\n")
    plates, rejected = read(open_csv(tmp_path, Direction.LTR))
    assert [p.name for p in plates] == ["a.png"]
    assert rejected == {
        "plates.csv line 3": "1 cells, fewer than the heading has",
        "plates.csv line 4": "no text",
        "plates.csv line 5": "the picture a.png stands in line 2 already",
        "plates.csv line 6": "the picture a.png stands in line 2 already",
        "zero.png": "not a picture (PNG or JPEG or BMP or WEBP or TIFF)",
        "tiny.png": "30 x 4 px, too small for characters",
        "elsewhere/a.png": "a.png has the same name, rename one of them",
        "b.png": "no annotation names this picture",
        "extra.png": "no annotation names this picture",
    }


def test_what_is_no_such_table_is_one_sentence(tmp_path: Path) -> None:
    assert not is_csv(table(tmp_path, "a,b\n1,2\n"))
    with pytest.raises(DataError, match="not a folder"):
        open_csv(tmp_path / "plates.csv", Direction.LTR)
    with pytest.raises(DataError, match=r"no table\. CSV needs one with a column image"):
        open_csv(tmp_path, Direction.LTR)
    table(tmp_path, "image,text\nb.png,1\n", "b.csv")
    table(tmp_path, "image,text\na.png,1\n", "a.tsv")
    with pytest.raises(DataError, match=r"several tables \(a\.tsv, b\.csv\)"):
        open_csv(tmp_path, Direction.LTR)
    (tmp_path / "a.tsv").unlink()
    table(tmp_path, 'image,text\nb.png,"1" 2\n', "b.csv")
    with pytest.raises(DataError, match=r"b\.csv line 2: no CSV"):
        open_csv(tmp_path, Direction.LTR)
    table(tmp_path, b"image,text\nb.png,\xff\n", "b.csv")
    assert not is_csv(tmp_path)
    with pytest.raises(DataError, match=r"b\.csv: not in UTF-8"):
        open_csv(tmp_path, Direction.LTR)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,text\ra.png,12\rb.png,34\r", "its lines end in bare carriage returns"),
        ("x" * 131_073 + "\r\n1,2\r\n", "field larger than field limit"),
    ],
)
def test_a_file_whose_heading_is_no_csv_is_no_table_and_stops_no_other(tmp_path: Path, text: str, said: str) -> None:
    table(tmp_path, text, "a.csv")
    assert recognise(tmp_path) is None
    with pytest.raises(DataError, match=rf"a\.csv line 1: no CSV \({said}.*\)\. Save it") as caught:
        open_csv(tmp_path, Direction.LTR)
    assert "\n" not in str(caught.value)
    picture(tmp_path / "b.png")
    table(tmp_path, "image,text\nb.png,12\n", "b.csv")
    assert recognise(tmp_path) is PlateFormat.CSV
    assert [plate.text for plate in read(open_csv(tmp_path, Direction.LTR))[0]] == ["12"]
