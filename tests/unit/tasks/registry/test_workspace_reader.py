"""The reader of a workspace, `acl read` on it, and its model card; no server is needed."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from acl_core.errors import AclError, DataError
from acl_core.reader.card import read_card
from tasks import cli
from tasks.registry import workspace_reader as module
from tasks.registry.model_card import model_card
from tasks.registry.workspace_reader import workspace_reader
from tests.readers import workspace_with_reader


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workspace_with_reader(tmp_path_factory.mktemp("workspace") / "toy")


def test_it_is_packaged_once(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = workspace_reader(workspace)
    card = read_card(folder)
    assert card.scale == 4
    assert card.sizes.lr_max_px == (14, 8)
    assert card.sizes.hr_max_px == (56, 32)
    assert card.provenance["calibration_on_validation"].keys() >= {"expected_error_before", "expected_error_after"}
    monkeypatch.setattr(module, "package_reader", None)  # a second call would fail
    assert workspace_reader(workspace) == folder


def test_callers_at_once_package_once(workspace: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.rmtree(workspace / "runs")
    with caplog.at_level("INFO"), ThreadPoolExecutor(2) as callers:
        folders = list(callers.map(workspace_reader, [workspace, workspace]))
    assert folders[0] == folders[1]
    assert caplog.text.count("packaging the reader") == 1


def test_the_model_card_has_data_metrics_kinds_limits_licence_and_cost(workspace: Path) -> None:
    text = model_card(workspace, 4, read_card(workspace_reader(workspace)))
    assert "| **This model** | 50.0 (40.0 to 60.0) |" in text
    assert "| P2 | 2 | 50.0 (0.0 to 100.0) |" in text
    assert "| P6 | 1 | 100.0 (100.0 to 100.0) |" in text
    assert "AGPL-3.0" in text
    assert "| clean | 50.0 (40.0 to 60.0) | 50.0 (40.0 to 60.0) |" in text
    assert "Training time: not recorded. Energy: not metered." in text
    for title in ("## Data", "## How well it reads", "## Confidence", "## Limits", "## Licence", "## Cost"):
        assert title in text


def test_the_model_card_of_real_pairs_claims_no_reduction(tmp_path: Path) -> None:
    folder = workspace_with_reader(tmp_path / "toy")
    card = read_card(workspace_reader(folder))
    assert "made by reduction from plates of at most 56 x 32 px" in model_card(folder, 4, card)
    meta = folder / "evaluations/x4/meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"aligned": False}))
    assert "taken beside plates of at most 56 x 32 px" in model_card(folder, 4, card)


def test_a_scale_has_to_be_one_of_the_workspace(workspace: Path) -> None:
    with pytest.raises(AclError, match="x3: this workspace has 4"):
        workspace_reader(workspace, 3)


def test_networks_that_were_not_evaluated_are_refused(tmp_path: Path) -> None:
    folder = workspace_with_reader(tmp_path / "toy")
    with (folder / "models/x4/final/sr.safetensors").open("ab") as file:
        file.write(b" ")
    with pytest.raises(DataError, match="not the weights that were evaluated"):
        workspace_reader(folder)
    (folder / "dvc.lock").unlink()
    with pytest.raises(DataError, match="knows of no evaluation"):
        workspace_reader(folder)
    (folder / "evaluations/x4/meta.json").unlink()
    with pytest.raises(DataError, match="acl run"):
        workspace_reader(folder)


def test_pictures_of_all_names_are_shown(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["a-b/c.png", "a/b-c.png", os.fsdecode(b"a/\xb0.png")]
    for name in names:
        Path(name).parent.mkdir(exist_ok=True)
        Image.fromarray(np.zeros((8, 16, 3), np.uint8)).save(name)
    done = CliRunner().invoke(cli.app, ["read", *names, "--json", "--workspace", str(workspace), "--show", "shown"])
    assert done.exit_code == 0
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [row["picture"] for row in rows] == [*names[:2], r"a/\udcb0.png"]
    assert len(list(Path("shown").iterdir())) == 3


def test_acl_read_prints_a_line_a_picture_and_goes_on_after_a_bad_one(workspace: Path, tmp_path: Path) -> None:
    for name in ("b/1.png", "a/1.png"):
        (tmp_path / name).parent.mkdir()
        Image.fromarray(np.random.default_rng(1).integers(0, 255, (8, 16, 3), dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "a/2.png").write_bytes(b"no")
    arguments = ["read", str(tmp_path / "a"), str(tmp_path / "*/1.png"), str(tmp_path / "none.png")]
    shown = tmp_path / "shown"
    done = CliRunner().invoke(cli.app, [*arguments, "--workspace", str(workspace), "--show", str(shown)])
    assert done.exit_code == DataError.exit_code
    lines = [line.split("\t") for line in done.stdout.splitlines() if line]
    names = [Path(line[0]).relative_to(tmp_path).as_posix() for line in lines]
    assert names == ["a/1.png", "a/2.png", "b/1.png", "none.png"]  # each once
    assert "error: not a picture" in lines[1][1]
    assert "error: picture not found" in lines[3][1]
    assert lines[0][1:] == lines[2][1:]
    assert len(list(shown.glob("*.png"))) == 2  # two files of one name do not overwrite each other
    good = [*arguments[:1], str(tmp_path / "a/1.png"), "--json", "--reject-below", "1"]
    done = CliRunner().invoke(cli.app, [*good, "--workspace", str(workspace)])
    assert done.exit_code == 0
    row = json.loads(done.stdout.splitlines()[-1])
    assert set(row["text"]) <= {"?"}
    assert (row["width"], row["height"], row["scale"]) == (16, 8, 4)


def test_a_folder_without_pictures_is_an_error(workspace: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli.app, ["read", str(tmp_path), "--workspace", str(workspace)])
    assert isinstance(done.exception, DataError)
