"""Real networks, untrained: what is read is arbitrary, how it is read is not."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from acl_core.errors import WeightsError
from acl_core.params_sr import SrArchitecture
from acl_core.reader.drawing import draw
from acl_core.reader.plate_text import PlateText, ReadCharacter
from acl_core.reader.reader import PlateReader
from acl_core.reader.rows import row_of, row_of_error
from tests.plates import CLASSES
from tests.readers import packaged


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packaged(tmp_path_factory.mktemp("reader"))


@pytest.fixture(scope="module")
def reader(folder: Path) -> PlateReader:
    return PlateReader.load(folder)


def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    sizes = [(6, 12), (7, 13), (5, 11), (6, 12), (40, 90), (300, 500), (1, 1)]
    return [rng.integers(0, 255, (*size, 3), dtype=np.uint8) for size in sizes]


def test_every_picture_gives_a_row_with_boxes_inside_it(reader: PlateReader) -> None:
    found = reader.read(pictures(), with_sr=True)
    assert [(plate.height, plate.width) for plate in found] == [p.shape[:2] for p in pictures()]
    assert [plate.scale for plate in found] == [4, 4, 4, 4, 1, 1, 4]
    assert any(plate.characters for plate in found)
    for plate in found:
        assert set(plate.text) <= set(CLASSES)
        assert 0 <= plate.confidence <= 1
        for character in plate.characters:
            x0, y0, x1, y1 = character.box
            assert 0 <= x0 <= x1 <= plate.width
            assert 0 <= y0 <= y1 <= plate.height
    shapes = [plate.sr.shape[:2] for plate in found if plate.sr is not None]
    assert shapes[:2] == [(24, 48), (28, 52)]
    assert shapes[5][1] <= 56  # reduced to the largest plate of training


def test_what_a_plate_gives_does_not_depend_on_its_neighbours(reader: PlateReader) -> None:
    alone = [reader.read([picture])[0] for picture in pictures()]
    together = reader.read(pictures())
    assert [plate.text for plate in alone] == [plate.text for plate in together]
    for a, b in zip(alone, together, strict=True):
        assert [c.confidence for c in a.characters] == pytest.approx([c.confidence for c in b.characters], abs=1e-5)


def test_no_picture_is_no_row(reader: PlateReader) -> None:
    assert reader.read([]) == []


def test_uncertain_characters_become_question_marks() -> None:
    box = (0.0, 0.0, 1.0, 1.0)
    plate = PlateText((ReadCharacter("7", 0.9, box), ReadCharacter("가", 0.4, box)), 9, 6, 4)
    assert plate.rejecting(0.5).text == "7?"
    assert plate.rejecting(0.4).text == "7가"
    assert plate.rejecting(0.5).confidence == plate.confidence == pytest.approx(0.36)
    assert PlateText((), 9, 6, 4).confidence == 0


def test_rows_are_plain_values(reader: PlateReader) -> None:
    row = row_of(reader.read(pictures()[:1], with_sr=True)[0])
    assert json.loads(json.dumps(row)) == row
    assert row.keys() == row_of_error("broken").keys()
    assert (row["scale"], row["error"]) == (4, None)


def test_a_drawing_is_enlarged_and_leaves_the_picture_alone(reader: PlateReader) -> None:
    picture = pictures()[0]
    before = picture.copy()
    plate = PlateText((ReadCharacter("1", 0.95, (2, 1, 5, 5)),), 12, 6, 4)
    drawn = draw(picture, plate)
    assert drawn.shape == (6 * 24, 12 * 24, 3)
    assert tuple(drawn[1 * 24, 3 * 24]) == (20, 160, 60)
    np.testing.assert_array_equal(picture, before)
    assert draw(pictures()[5], PlateText((), 500, 300, 1)).shape == (600, 1000, 3)


def copied(folder: Path, to: Path) -> Path:
    to.mkdir()
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


def test_half_a_pair_is_refused(folder: Path, tmp_path: Path) -> None:
    other = packaged(tmp_path / "other", seed=1)
    mixed = copied(folder, tmp_path / "mixed")
    (mixed / "sr.safetensors").write_bytes((other / "sr.safetensors").read_bytes())
    with pytest.raises(WeightsError, match="not the weights that the card was written for"):
        PlateReader.load(mixed)
    (mixed / "sr.safetensors").unlink()
    with pytest.raises(WeightsError, match="not found"):
        PlateReader.load(mixed)


def test_a_missing_or_foreign_card_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"reader.json: not found"):
        PlateReader.load(tmp_path)
    late = copied(folder, tmp_path / "late")
    raw = json.loads((late / "reader.json").read_text(encoding="utf-8"))
    (late / "reader.json").write_text(json.dumps(raw | {"format": 2}), encoding="utf-8")
    with pytest.raises(WeightsError, match="format"):
        PlateReader.load(late)


def test_weights_that_are_not_finite_are_not_packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from acl_core.models import weights

    def spoiled(net: torch.nn.Module, path: Path) -> None:
        tensors = load_file(path)
        tensors[next(iter(tensors))].fill_(float("nan"))
        save_file(tensors, path)
        real(net, path)

    real = weights.load_weights
    monkeypatch.setattr("acl_core.reader.reader.load_weights", spoiled)
    with pytest.raises(WeightsError, match="not finite"):
        packaged(tmp_path)
    assert not (tmp_path / "reader").exists()


def test_a_reader_from_before_there_was_a_choice_of_networks(folder: Path, reader: PlateReader, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "old")
    card = json.loads((folder / "reader.json").read_text(encoding="utf-8"))
    card["sr"] = {name: card["sr"][name] for name in ("blocks", "channels", "features", "skip", "bucket_px")}
    (tmp_path / "old/reader.json").write_text(json.dumps(card), encoding="utf-8")
    found = PlateReader.load(tmp_path / "old").read(pictures())
    assert [plate.characters for plate in found] == [plate.characters for plate in reader.read(pictures())]


@pytest.mark.parametrize(("architecture", "scale"), [("identity", 1), ("drn", 4), ("mzsr", 4)])
def test_a_reader_with_another_network(architecture: SrArchitecture, scale: int, tmp_path: Path) -> None:
    found = PlateReader.load(packaged(tmp_path, architecture=SrArchitecture(architecture))).read(
        pictures(), with_sr=True
    )
    assert found[0].scale == scale
    assert [plate.sr.shape[:2] for plate in found if plate.sr is not None][:2] == [
        (6 * scale, 12 * scale),
        (7 * scale, 13 * scale),
    ]
