from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acl_core.data.manifest import DatasetCard, Plate, Side, write_plates
from acl_core.errors import DataError
from acl_core.params_plates import Direction
from acl_core.statistics.changes import Changes, compare
from acl_core.statistics.labels import read_labels, read_pictures
from tests.plates import CLASSES, toy_plate


def plates(n: int = 6) -> list[Plate]:
    return [toy_plate(i) for i in range(n)]


def changes(folder: Path, before: list[Plate], now: list[Plate], classes: tuple[str, ...] = CLASSES) -> Changes:
    write_plates(before, DatasetCard("toy", Direction.LTR, CLASSES), folder / "before")
    write_plates(now, DatasetCard("toy", Direction.LTR, classes), folder / "now")
    return compare(read_labels(folder / "before"), read_labels(folder / "now"))


def names(pairs) -> list[str]:
    return [now.name for _, now in pairs]


def test_nothing_changed(tmp_path: Path) -> None:
    found = changes(tmp_path, plates(), plates()[::-1])
    assert not found.any()
    assert found.n_unchanged == 6
    assert found.before == found.now


def test_each_kind_of_change_by_hand(tmp_path: Path) -> None:
    old = plates()
    new = [
        replace(old[0], split=Side.TEST),
        replace(old[1], text="21", classes=np.array([2, 1]), boxes=old[1].boxes[:2]),
        replace(old[2], boxes=old[2].boxes + 1),
        replace(old[3], hr=255 - old[3].hr),
        replace(old[4], name="other name"),
        toy_plate(7),
    ]
    found = changes(tmp_path, old, new)
    assert found.any()
    assert names(found.moved) == ["plate-0"]
    assert names(found.relabelled) == ["plate-1", "plate-2"]
    assert names(found.redrawn) == ["plate-3"]
    assert [(a.name, b.name) for a, b in found.renamed] == [("plate-4", "other name")]
    assert [labels.name for labels in found.added] == ["plate-7"]
    assert [labels.name for labels in found.removed] == ["plate-5"]
    assert found.n_unchanged == 0
    assert found.now.plates == {Side.TRAIN: 5, Side.TEST: 1}
    assert sum(found.before.characters.values()) == 18
    assert sum(found.now.characters.values()) == 17


def test_a_renamed_plate_may_have_other_labels_and_another_side_too(tmp_path: Path) -> None:
    old = plates(2)
    new = [old[0], replace(old[1], name="b", boxes=old[1].boxes + 1, split=Side.TEST)]
    found = changes(tmp_path, old, new)
    assert names(found.renamed) == names(found.relabelled) == names(found.moved) == ["b"]
    assert (found.added, found.removed) == ([], [])


def test_copies_of_a_picture_are_paired_one_by_one(tmp_path: Path) -> None:
    first = toy_plate(0)
    old = [replace(first, name=name) for name in "ab"]
    new = [replace(first, name=name) for name in "cde"]
    found = changes(tmp_path, old, new)
    assert [(a.name, b.name) for a, b in found.renamed] == [("a", "c"), ("b", "d")]
    assert [labels.name for labels in found.added] == ["e"]
    assert found.removed == []


def test_classes_are_compared_by_name_not_by_index(tmp_path: Path) -> None:
    reordered = CLASSES[::-1]
    same = [replace(p, classes=np.array([reordered.index(CLASSES[c]) for c in p.classes])) for p in plates()]
    assert not changes(tmp_path, plates(), same, reordered).any()
    assert len(changes(tmp_path, plates(), plates(), reordered).relabelled) > 0


def test_labels_and_chosen_pictures_of_many_row_groups(tmp_path: Path) -> None:
    many = [replace(toy_plate(i % 5), name=str(i)) for i in range(300)]
    write_plates(many, DatasetCard("toy", Direction.LTR, CLASSES), tmp_path / "plates")
    found = list(read_labels(tmp_path / "plates"))
    assert [labels.name for labels in found] == [plate.name for plate in many]
    np.testing.assert_array_equal(found[7].corners(), many[7].boxes)
    assert found[7].classes == tuple(CLASSES[c] for c in many[7].classes)
    pictures = read_pictures(tmp_path / "plates", {"7", "299"})
    assert set(pictures) == {"7", "299"}
    labels, png = pictures["299"]
    assert (labels, png[:4]) == (found[299], b"\x89PNG")


def test_no_plates_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="dvc repro"):
        next(read_labels(tmp_path))
