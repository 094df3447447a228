"""``acl export`` up to the export itself, which tests/e2e runs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from acl_core.errors import DataError, ParamsError, WeightsError
from acl_core.evaluate.method_names import MethodName
from acl_core.models.build import build_recognizer, build_sr
from acl_core.models.enlarger import Bicubic
from acl_core.models.weights import save_weights
from acl_core.params import Reading, load_params
from tasks import cli
from tasks.export.trained import load_trained
from tests.plates import ROOT, params, write_pairs


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with networks that nothing trained."""
    (tmp_path / "dvc.yaml").symlink_to(ROOT / "dvc.yaml")
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    recognizer = build_recognizer(params().recognizer, 3)
    for folder in ("pretrain_recognizer", "x4/phase2"):
        save_weights(recognizer, tmp_path / f"models/{folder}/recognizer.safetensors", {"classes": ["0", "1", "ㄱ"]})
    save_weights(build_sr(4, params().sr), tmp_path / "models/x4/phase1/sr.safetensors", {})
    (tmp_path / "evaluations/x4").mkdir(parents=True)
    rule = {"reading_rule": {"confidence": 0.2, "overlap": 0.5}}
    (tmp_path / "evaluations/x4/meta.json").write_text(json.dumps(rule), encoding="utf-8")
    return tmp_path


def acl_export(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["export", "--workspace", str(folder), *arguments])


def test_a_methods_networks_come_with_classes_and_rule(workspace: Path) -> None:
    trained = load_trained(workspace, load_params(workspace / "params.yaml"), 4, MethodName.PHASE2)
    assert trained.classes == ("0", "1", "ㄱ")
    assert trained.rule == Reading(confidence=0.2, overlap=0.5)
    assert [str(path.relative_to(workspace)) for path in trained.files.values()] == [
        "models/x4/phase2/recognizer.safetensors",
        "models/x4/phase1/sr.safetensors",
    ]
    bicubic = load_trained(workspace, load_params(workspace / "params.yaml"), 4, MethodName.BICUBIC)
    assert isinstance(bicubic.enlarger, Bicubic)


def test_a_scale_that_the_workspace_lacks_is_named(workspace: Path) -> None:
    error = acl_export(workspace, "--scale", "3").exception
    assert isinstance(error, ParamsError)
    assert "has no x3, but x4" in str(error)


def test_a_method_that_was_not_trained_is_named(workspace: Path) -> None:
    error = acl_export(workspace, "--method", "rounds").exception
    assert isinstance(error, WeightsError)
    assert "models/x4/final/recognizer.safetensors: not found" in str(error)


def test_the_final_networks_are_those_that_the_workspace_reads_with(workspace: Path) -> None:
    file = workspace / "params.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("joint_epochs: 0", "joint_epochs: 2"), encoding="utf-8")
    error = acl_export(workspace).exception
    assert isinstance(error, WeightsError)
    assert "models/x4/final/recognizer.safetensors: not found" in str(error)


@pytest.mark.parametrize("damage", [None, "{", "{}"])
def test_without_a_reading_rule_nothing_is_written(workspace: Path, damage: str | None) -> None:
    meta = workspace / "evaluations/x4/meta.json"
    meta.unlink() if damage is None else meta.write_text(damage, encoding="utf-8")
    error = acl_export(workspace).exception
    assert isinstance(error, DataError)
    assert "meta.json" in str(error)
    assert not (workspace / "exports").exists()


def test_8_bits_need_validation_plates_before_anything_is_exported(workspace: Path) -> None:
    write_pairs(workspace / "data/pairs/x4", counts=(4, 0, 2))
    error = acl_export(workspace, "--int8").exception
    assert isinstance(error, DataError)
    assert "no validation plates" in str(error)
