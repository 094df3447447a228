from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acl_core.data.degrade import degrade
from acl_core.data.manifest import DatasetCard, Side, read_card, read_plates, write_plates
from acl_core.errors import DataError
from acl_core.params_plates import Direction
from tests.plates import CLASSES, params, toy_plate

CARD = DatasetCard("toy", Direction.RTL, CLASSES)


def test_plates_come_back_as_they_were(tmp_path: Path) -> None:
    plates = [toy_plate(0), degrade(toy_plate(1, Side.TEST), 4)]
    write_plates(plates, CARD, tmp_path / "set")
    for plate, again in zip(plates, read_plates(tmp_path / "set"), strict=True):
        assert (again.name, again.text, again.split) == (plate.name, plate.text, plate.split)
        np.testing.assert_array_equal(again.hr, plate.hr)
        np.testing.assert_array_equal(again.boxes, plate.boxes)
        np.testing.assert_array_equal(again.classes, plate.classes)
        assert (again.lr is None) == (plate.lr is None)
    card = read_card(tmp_path / "set")
    assert (card.classes, card.direction) == (CLASSES, Direction.RTL)
    assert card.plates == {"train": 1, "validation": 0, "test": 1}


def test_same_plates_give_the_same_bytes_and_many_go_into_several_shards(tmp_path: Path) -> None:
    plates = [replace(toy_plate(0), name=str(i)) for i in range(2100)]
    for name in ("a", "b"):
        write_plates(iter(plates), CARD, tmp_path / name)
    shards = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert shards == ["classes.txt", "dataset.json", "part-00000.parquet", "part-00001.parquet"]
    for name in shards:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert [p.name for p in read_plates(tmp_path / "a")] == [p.name for p in plates]


def test_a_failure_leaves_the_old_set_usable(tmp_path: Path) -> None:
    write_plates([toy_plate(0)], CARD, tmp_path / "set")

    def broken():
        yield toy_plate(1)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_plates(broken(), CARD, tmp_path / "set")
    assert [p.name for p in read_plates(tmp_path / "set")] == ["plate-0"]


def test_two_plates_of_one_name_and_no_plate_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two plates have this name"):
        write_plates([toy_plate(0), toy_plate(0)], CARD, tmp_path / "set")
    with pytest.raises(DataError, match=r"toy: no usable plate\. Put plates there"):
        write_plates([], CARD, tmp_path / "set")


def test_a_folder_without_plates_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="dvc repro"):
        read_card(tmp_path)


def test_class_names_may_be_letters_of_any_script_or_words(tmp_path: Path) -> None:
    card = DatasetCard("toy", Direction.RTL, ("ھ", "서울", "A B"))
    write_plates([replace(toy_plate(0), text="ھ서울")], card, tmp_path / "set")
    assert read_card(tmp_path / "set").classes == card.classes


def test_the_card_says_what_differs_from_the_default_and_nothing_else(tmp_path: Path) -> None:
    camera = params().degrade.recipes["camera"]
    for name, card in (("usual", CARD), ("other", replace(CARD, aligned=False, recipe=camera))):
        write_plates([toy_plate(0)], card, tmp_path / name)
        again = read_card(tmp_path / name)
        assert (again.aligned, again.recipe) == (card.aligned, card.recipe)
    text = (tmp_path / "usual/dataset.json").read_text(encoding="utf-8")
    assert "aligned" not in text
    assert "recipe" not in text
