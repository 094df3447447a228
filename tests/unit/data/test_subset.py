from dataclasses import replace
from pathlib import Path

import pytest

from acl_core.data.manifest import DatasetCard, Side, read_card, read_plates, write_plates
from acl_core.data.subset import copy_without
from acl_core.errors import DataError
from acl_core.params_plates import Direction
from tests.plates import CLASSES, toy_plate

N = 2100  # two shards


@pytest.fixture(scope="module")
def plates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set") / "plates"
    toy = toy_plate(0)
    sides = [list(Side)[i % 3] for i in range(N)]
    stream = (replace(toy, name=str(i), split=side) for i, side in enumerate(sides))
    write_plates(stream, DatasetCard("toy", Direction.RTL, CLASSES), folder)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_without_anything_left_out_every_file_is_the_same(plates: Path, tmp_path: Path) -> None:
    card = copy_without(plates, [], tmp_path / "valid")
    assert card == read_card(plates)
    assert files(tmp_path / "valid") == files(plates)


def test_only_the_shard_that_loses_rows_changes_and_always_in_the_same_way(plates: Path, tmp_path: Path) -> None:
    left_out = {N - 1, N - 2}
    for name in ("a", "b"):
        copy_without(plates, left_out, tmp_path / name)
    before, after = files(plates), files(tmp_path / "a")
    assert after == files(tmp_path / "b")
    assert {name for name in before if before[name] != after[name]} == {"part-00001.parquet", "dataset.json"}
    assert read_card(tmp_path / "a").plates == {"train": 700, "validation": 699, "test": 699}
    kept = [plate for plate in read_plates(tmp_path / "a") if plate.name]
    assert [plate.name for plate in kept] == [str(i) for i in range(N - 2)]
    assert (kept[-1].hr == toy_plate(0).hr).all()


def test_a_shard_that_loses_all_rows_is_gone_and_without_any_plate_it_stops(plates: Path, tmp_path: Path) -> None:
    copy_without(plates, range(2048), tmp_path / "valid")
    assert sorted(files(tmp_path / "valid")) == ["classes.txt", "dataset.json", "part-00001.parquet"]
    assert [plate.name for plate in read_plates(tmp_path / "valid")] == [str(i) for i in range(2048, N)]
    with pytest.raises(DataError, match="no plate is left"):
        copy_without(plates, range(N), tmp_path / "valid")
    assert read_card(tmp_path / "valid").plates["train"] > 0  # what was there stays usable
