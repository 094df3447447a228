"""Other networks and other ways to train through the real pipeline: one workspace, two sets of parameters."""

import csv
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from acl_core.models.weights import read_card
from tasks.workspace import merge, new_workspace
from tests.e2e.conftest import dvc, git

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

QUICK = {
    "scales": [4],
    "recognizer": {"architecture": "paper", "input_px": 64},
    "evaluate": {"bootstrap": 5, "gallery": 1, "suite": {"severities": ["clean"]}},
}
# A rival that is trained in another way, on patches, and both networks at once after that.
RIVAL = {
    "sr": {"architecture": "swinir"},
    "pretrain_sr": {"objective": "flip", "patch_px": 8},
    "phase1": {"trains": "both"},
    "phase2": {"epochs": 0},
    "bicubic_phase2": {"epochs": 1},
}
# Paper, Tables 1-4: LR recognition.
LR_RECOGNITION = {
    "sr": {"architecture": "identity"},
    "pretrain_sr": {"objective": "pixel", "patch_px": 0},
    "phase1": {"trains": "sr"},
    "phase2": {"epochs": 1, "start": "scratch"},
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, tracking: str) -> Path:
    root = tmp_path_factory.mktemp("methods")
    git(root, "init", "--quiet")
    folder = new_workspace(root / "cell", "smoke", merge(QUICK, RIVAL))
    dvc(folder, "cache", "dir", "--unset")
    dvc(folder, "repro")
    return folder


def weights(folder: Path, name: str) -> str:
    return hashlib.sha256((folder / "models" / name).read_bytes()).hexdigest()


def results(folder: Path) -> dict[str, Any]:
    table: dict[str, Any] = json.loads((folder / "reports/evaluate.json").read_text(encoding="utf-8"))["x4"]
    return table


def test_a_rival_trained_with_its_recognizer(workspace: Path) -> None:
    rows = results(workspace)
    assert rows["phase1"]["psnr_db"]["value"] > 0
    assert read_card(workspace / "models/x4/phase1/sr.safetensors")["network"] == "AttentionEnlarger"
    before, after = "pretrain_recognizer/recognizer.safetensors", "x4/phase1/recognizer.safetensors"
    assert weights(workspace, after) != weights(workspace, before)  # nothing was frozen
    assert weights(workspace, "x4/phase2/recognizer.safetensors") == weights(workspace, after)  # 0 epochs
    assert rows["phase1"]["plates_read"] == rows["phase2"]["plates_read"]
    with (workspace / "reports/curves/x4-pretrain_sr.csv").open(encoding="utf-8") as file:
        assert "loss_flip" in next(csv.reader(file))
    with (workspace / "reports/curves/x4-bicubic_phase2.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 1


def test_lr_recognition_in_its_place_shares_the_control(workspace: Path) -> None:
    path = workspace / "params.yaml"
    params = merge(yaml.safe_load(path.read_text(encoding="utf-8")), LR_RECOGNITION)
    params["bicubic_phase2"]["epochs"] = 1
    path.write_text(yaml.safe_dump(params, allow_unicode=True), encoding="utf-8")
    ran = set(re.findall(r"Running stage '([^']+)'", dvc(workspace, "repro")))
    assert "pretrain_recognizer" not in ran
    rows = results(workspace)
    assert rows["phase2"]["psnr_db"]["value"] is None  # LR has no pixel of HR
    assert rows["phase2"]["plates_read"]["value"] is not None
    before, behind = "pretrain_recognizer/recognizer.safetensors", "x4/phase1/recognizer.safetensors"
    assert weights(workspace, behind) == weights(workspace, before)
    assert weights(workspace, "x4/phase2/recognizer.safetensors") != weights(workspace, before)
