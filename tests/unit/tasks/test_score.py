"""``acl score`` on networks that never learnt anything, and a training on texts alone."""

import csv
import json
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image
from typer.testing import CliRunner

from acl_core.data.batches import PairSet
from acl_core.data.manifest import Side, read_card
from acl_core.errors import DataError
from acl_core.models.build import build_recognizer, build_sr
from acl_core.models.weights import save_weights
from acl_core.params import Architecture, Params, RecognizerParams
from acl_core.params_plates import PlateFormat
from tasks import cli
from tasks.score import score_folder
from tasks.stages import plates as stage
from tests.plates import CLASSES, ROOT, params, toy_plate

METHODS = {"bicubic", "bicubic_phase2", "sr", "phase1", "phase2"}


def small() -> Params:
    known = params()
    return known.model_copy(
        update={
            "sr": known.sr.model_copy(update={"channels": 4, "features": 8}),
            "recognizer": RecognizerParams(architecture=Architecture.PAPER, input_px=64),
            "evaluate": known.evaluate.model_copy(update={"bootstrap": 5}),
        }
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """What a run would leave of its networks."""
    folder, chosen = tmp_path / "ws", small()
    folder.mkdir()
    dump = yaml.safe_dump(chosen.model_dump(mode="json"), allow_unicode=True)
    (folder / "params.yaml").write_text(dump, encoding="utf-8")
    (folder / "dvc.yaml").symlink_to(ROOT / "dvc.yaml")
    torch.manual_seed(1)
    sr, recognizer = build_sr(4, chosen.sr), build_recognizer(chosen.recognizer, len(CLASSES))
    for name in ("pretrain_sr", "phase1"):
        save_weights(sr, folder / f"models/x4/{name}/sr.safetensors", {})
    for name in ("pretrain_recognizer", "x4/phase1", "x4/phase2", "x4/bicubic_phase2"):
        save_weights(recognizer, folder / f"models/{name}/recognizer.safetensors", {"classes": list(CLASSES)})
    (folder / "evaluations/x4").mkdir(parents=True)
    rule = {"reading_rule": {"confidence": 0.25, "overlap": 0.5}}
    (folder / "evaluations/x4/meta.json").write_text(json.dumps(rule), encoding="utf-8")
    return folder


@pytest.fixture
def src(tmp_path: Path) -> Path:
    """Two pictures wide enough to be read, three small ones, one that is missing."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for i, width in enumerate((120, 100, 30, 36, 33)):
        Image.fromarray(toy_plate(i, size=(24, width)).hr).save(folder / f"{i}.png")
    rows = "".join(f"{i}.png,{i % 3}1-\n" for i in range(5))
    (folder / "plates.csv").write_text(f"image,text\n{rows}gone.png,1\n", encoding="utf-8")
    return folder


def test_wide_pictures_are_read_as_they_are_and_small_ones_by_every_method(
    workspace: Path, src: Path, tmp_path: Path
) -> None:
    out = tmp_path / "readings.csv"
    scored = score_folder(src, workspace, out)
    assert scored.plates == {"hr": 2, "x4": 3}
    assert set(scored.tables["hr"]) == {"hr"}
    assert set(scored.tables["x4"]) == METHODS
    assert scored.tables["x4"]["sr"]["plates_read"]["value"] == 0  # no class stands for "-"
    assert scored.tables["x4"]["sr"]["cer"]["value"] > 0
    assert scored.unknown == {"-": 5}
    assert [(item.file, item.reason) for item in scored.rejected] == [
        ("plates.csv line 7", "picture not found: gone.png")
    ]
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 + 3 * len(METHODS)
    assert rows[0] | {"read": ""} == {"name": "0.png", "group": "hr", "method": "hr", "true": "01-", "read": ""}


def test_the_command_prints_tables_and_what_was_left_out(workspace: Path, src: Path) -> None:
    done = CliRunner().invoke(cli.app, ["score", str(src), "--models", str(workspace)])
    assert done.exit_code == 0, done.output
    assert "2 pictures, read as they are" in done.output
    assert "3 pictures, too small for that, enlarged x4" in done.output
    assert "| SR alone | 0.0 (0.0 to 0.0) |" in done.output
    assert "No class stands for '-' (5 plates)" in done.output
    assert "- plates.csv line 7: picture not found: gone.png" in done.output


def test_a_workspace_that_did_not_run_to_its_end(workspace: Path, src: Path) -> None:
    (workspace / "evaluations/x4/meta.json").unlink()
    with pytest.raises(DataError, match="acl run"):
        score_folder(src, workspace)


def test_texts_are_imported_and_a_training_on_them_is_refused_in_one_sentence(src: Path, tmp_path: Path) -> None:
    chosen = params().plates.model_copy(
        update={"source": str(src), "format": PlateFormat.CSV, "max_rejected_share": 0.5}
    )
    stage.run(chosen, params().common, out=tmp_path / "set", rejected=tmp_path / "rejected.csv")
    assert read_card(tmp_path / "set").plates == {"train": 0, "validation": 0, "test": 5}
    with pytest.raises(DataError, match=r"texts and no boxes.*acl score SRC --models") as caught:
        PairSet.load(tmp_path / "set", Side.TRAIN)
    assert "\n" not in str(caught.value)


def test_a_damaged_rule_is_one_line(workspace: Path, src: Path) -> None:
    for text in ("{", "[]", '{"reading_rule": {"confidence": 2}}'):
        (workspace / "evaluations/x4/meta.json").write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match="damaged"):
            score_folder(src, workspace)
