"""Real (LR, HR) pairs from the folder to the page: import, degrade, evaluate and report, with untrained networks."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from acl_core.data.manifest import read_card, read_plates
from acl_core.device import Compute
from acl_core.evaluate.methods import RECOGNIZER_FILE, SR_FILE
from acl_core.models.build import build_recognizer, build_sr
from acl_core.models.weights import save_weights
from acl_core.params_plates import PlateFormat, Split
from acl_core.train.checkpoint import Checkpoint
from acl_core.train.loop import Job
from acl_core.train.tracker import Silent, write_curves
from tasks.cli import app
from tasks.report.markdown import markdown, suite_markdown
from tasks.stages import degrade, evaluate, plates, report
from tests.plates import CLASSES, toy_plate
from tests.unit.tasks.test_privacy import small

N_PLATES = 30


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """HR plates, and LR pictures that are darker, shifted and of another size than a quarter."""
    folder = tmp_path / "pairs"
    for name in ("images", "labels", "lr"):
        (folder / name).mkdir(parents=True)
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in CLASSES), encoding="utf-8")
    for i in range(N_PLATES):
        plate = toy_plate(i, size=(24, 72), n_characters=4)
        Image.fromarray(plate.hr).save(folder / f"images/{i}.png")
        lr = Image.fromarray(np.roll(plate.hr, 3, axis=1) // 2).resize((17, 6), Image.Resampling.BOX)
        lr.save(folder / f"lr/{i}.png")
        middles = (plate.boxes[:, :2] + plate.boxes[:, 2:]) / 2 / [72, 24]
        sizes = (plate.boxes[:, 2:] - plate.boxes[:, :2]) / [72, 24]
        rows = np.column_stack([plate.classes, middles, sizes])
        np.savetxt(folder / f"labels/{i}.txt", rows, fmt=["%d"] + ["%.6f"] * 4)
    return folder


def test_from_the_folder_to_the_page(source: Path, tmp_path: Path) -> None:
    known = small(show_pictures=True)
    imported = known.plates.model_copy(
        update={
            "source": str(source),
            "format": PlateFormat.YOLO,
            "min_width_px": 40,
            "split": Split(validation=0.3, test=0.3),
        }
    )
    recipes = known.degrade.model_copy(update={"recipe": "camera"})
    data, pairs = tmp_path / "data/plates", tmp_path / "data/pairs/x4"
    plates.run(imported, known.common, out=data, rejected=tmp_path / "rejected.csv")
    assert not read_card(data).aligned
    degrade.run(imported, recipes, known.common, scale=4, hr=data, out=pairs, rejected=tmp_path / "rejected-x4.csv")
    card = read_card(pairs)
    assert (card.aligned, card.scale, card.recipe) == (False, 4, recipes.steps)
    assert sum(card.plates.values()) == N_PLATES
    for plate in read_plates(pairs):
        assert plate.hr.shape == (24, 68, 3)
        np.testing.assert_array_equal(plate.lr, np.asarray(Image.open(source / "lr" / plate.name)))

    suite = known.evaluate.suite.model_copy(update={"severities": ["clean", "all"], "max_plates": 3})
    torch.manual_seed(1)
    save_weights(build_sr(4, known.sr), tmp_path / "models" / SR_FILE, {})
    save_weights(build_recognizer(known.recognizer, len(CLASSES)), tmp_path / "models" / RECOGNIZER_FILE, {})
    names = ("recognizer_hr", "sr_alone", "phase1", "phase2", "final", "bicubic_phase2")
    job = Job("evaluate@4", Compute(torch.device("cpu"), bf16=False), Silent(), Checkpoint(tmp_path / "runs", "key"))
    sections = (known.evaluate.model_copy(update={"suite": suite}), known.privacy, known.common)
    evaluate.run(
        *(known.sr, known.recognizer, known.rounds, *sections),
        scale=4,
        pairs=pairs,
        out=tmp_path / "evaluations/x4",
        job=job,
        **dict.fromkeys(names, tmp_path / "models"),
    )
    write_curves([{"epoch": 1, "plates_read": 0.5}], tmp_path / "curves/x4-phase1.csv")
    made = {"metrics": tmp_path / "evaluate.json", "suite": tmp_path / "suite.json", "page": tmp_path / "index.html"}
    paths = {"evaluations": tmp_path / "evaluations", "curves": tmp_path / "curves"}
    report.run([4], known.privacy, **paths, **made)

    results = json.loads(made["metrics"].read_text(encoding="utf-8"))
    for row in results["x4"].values():
        assert row["plates_read"]["value"] is not None
        assert row["psnr_db"]["value"] is row["ssim"]["value"] is None
    assert all(line.endswith("| - | - |") for line in markdown(made["metrics"]).splitlines() if line.startswith("| SR"))
    told = suite_markdown(made["suite"])
    assert told.count("| method | clean | all |") == 2
    assert "mAP50, %, by severity; 3 test plates" in told
    assert told in CliRunner().invoke(app, ["results", str(made["metrics"])]).output
    page = made["page"].read_text(encoding="utf-8")
    assert "LR pictures are real and not pixel-aligned with HR, so there is no PSNR" in page
    assert page.count("<th>method</th><th>clean</th><th>all</th>") == 2
