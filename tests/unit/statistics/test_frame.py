import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from acl_core.data.degrade import degrade
from acl_core.data.manifest import DatasetCard, Side, encode_png, write_plates
from acl_core.errors import DataError
from acl_core.params_plates import Direction
from acl_core.statistics.appearance import appearance
from acl_core.statistics.frame import class_counts, read_frame
from tests.plates import CLASSES, toy_plate


def written(folder: Path, n: int = 3, scale: int | None = None) -> Path:
    plates = [toy_plate(i, list(Side)[i % 3]) for i in range(n)]
    plates = [degrade(plate, scale) if scale else plate for plate in plates]
    write_plates(plates, DatasetCard("toy", Direction.LTR, CLASSES, scale), folder)
    return folder


def change(folder: Path, row: int, **values: object) -> None:
    """Damage a row as no code of ours would write it."""
    (shard,) = folder.glob("part-*.parquet")
    table = pq.read_table(shard)
    rows = table.to_pylist()
    rows[row] |= values
    pq.write_table(type(table).from_pylist(rows, schema=table.schema), shard)


def test_a_row_says_what_the_plate_is(tmp_path: Path) -> None:
    frame = read_frame(written(tmp_path / "set"))
    row, plate = frame.loc[1], toy_plate(1, Side.VALIDATION)
    assert (row["name"], row["side"], row["text"], row["picture"]) == ("plate-1", "validation", plate.text, "ok")
    assert (row["width_px"], row["height_px"], row["aspect"], row["n_characters"]) == (48, 24, 2, 3)
    sides = (plate.boxes[:, 2:] - plate.boxes[:, :2]).astype(np.float64)
    assert row["box_side_px"] == sides.min()
    assert row["box_aspect_min"] == (sides[:, 0] / sides[:, 1]).min()
    assert row["box_aspect_max"] == (sides[:, 0] / sides[:, 1]).max()
    assert row["box_outside_px"] == 0
    assert (row["brightness"], row["contrast"], row["sharpness"]) == tuple(appearance(plate.hr))
    assert row["text_agrees"]
    assert len(row["phash"]) == 32
    assert np.isnan(row["lr_off_px"])


def test_broken_rows_are_described_and_not_raised(tmp_path: Path) -> None:
    folder = written(tmp_path / "set", 8)
    png = encode_png(toy_plate(0).hr)
    change(folder, 0, hr=png[:60])
    change(folder, 1, hr=b"")
    change(folder, 2, boxes=[[0, 0, float("nan"), 5]], classes=[0])
    change(folder, 3, boxes=[[5, 5, 5, 9]], classes=[0])
    change(folder, 4, boxes=[[-2, 0, 4, 8], [40, 10, 51, 20]], classes=[0, 7])
    change(folder, 5, boxes=[], classes=[])
    change(folder, 6, boxes=[[0, 0, 4, 4]], classes=[0, 1])
    change(folder, 7, text="what")
    frame = read_frame(folder)
    assert frame["picture"][0].startswith("does not decode")
    assert frame["picture"][1] == "is empty"
    assert frame.loc[:1, ["width_px", "brightness"]].isna().all().all()
    assert frame["phash"][0] == b""
    assert frame["box_side_px"][2] < 0
    assert frame["box_side_px"][3] < 0
    assert frame["box_outside_px"][4] == 3
    assert frame["worst_class"][4] == 7
    assert frame["n_characters"][5] == 0
    assert frame["box_side_px"][6] < 0  # boxes and classes do not pair
    assert not frame["text_agrees"][7]


def test_lr_is_measured_by_the_scale_of_the_set(tmp_path: Path) -> None:
    folder = written(tmp_path / "set", 3, scale=4)
    assert (read_frame(folder)["lr_off_px"] == 0).all()
    card = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    (folder / "dataset.json").write_text(json.dumps(card | {"scale": 3}), encoding="utf-8")
    assert (read_frame(folder)["lr_off_px"] == 12).all()
    change(folder, 0, lr=None)
    assert read_frame(folder)["lr_off_px"][0] == 48


def test_classes_are_counted_by_side(tmp_path: Path) -> None:
    folder = written(tmp_path / "set", 9)
    counts = class_counts(read_frame(folder), CLASSES)
    assert counts["class"].tolist() == list(CLASSES)
    for side in Side:
        plates = [toy_plate(i) for i in range(9) if list(Side)[i % 3] is side]
        expected = np.bincount(np.concatenate([plate.classes for plate in plates]), minlength=3)
        assert counts[side.value].tolist() == expected.tolist()


def test_a_folder_without_plates_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no plates"):
        read_frame(tmp_path)
