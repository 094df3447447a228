"""A stage as a process: one line and an exit code for whatever a person can put right."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from acl_core.params import Common
from tasks.stages._main import main
from tasks.workspace import ROOT, merge, read_profile

pytestmark = pytest.mark.e2e

GOOD_PLATES = 30


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Parameters, and a YOLO folder of good plates beside them."""
    base = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    own = {"code": str(ROOT), "plates": {"source": str(tmp_path / "plates"), "format": "yolo", "min_width_px": 16}}
    params = merge(merge(base, read_profile("smoke")), own)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    for name in ("images", "labels"):
        (tmp_path / "plates" / name).mkdir(parents=True)
    (tmp_path / "plates" / "classes.txt").write_text("0\n1\n2\n", encoding="utf-8")
    rng = np.random.default_rng(1)
    for i in range(GOOD_PLATES):
        Image.fromarray(rng.integers(0, 255, (24, 96, 3), dtype=np.uint8)).save(tmp_path / f"plates/images/{i}.png")
        digits = [(i // 9) % 3, (i // 3) % 3, i % 3]
        rows = [f"{digit} {0.2 + 0.3 * k:.1f} 0.5 0.1 0.5" for k, digit in enumerate(digits)]
        (tmp_path / f"plates/labels/{i}.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def import_plates(workspace: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tasks.stages.plates", "--out", "data/plates", "--rejected", "data/rejected.csv"],
        cwd=workspace,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def last_line(done: "subprocess.CompletedProcess[str]") -> str:
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_a_class_outside_the_list_and_an_unreadable_picture_are_left_out_by_name(workspace: Path) -> None:
    (workspace / "plates/labels/3.txt").write_text("9 0.5 0.5 0.1 0.5\n", encoding="utf-8")
    (workspace / "plates/images/4.png").write_bytes(b"no picture at all")
    done = import_plates(workspace)
    assert done.returncode == 0, done.stderr
    assert "2 of 30 files rejected" in done.stderr
    rejected = pd.read_csv(workspace / "data/rejected.csv", index_col="file")["reason"]
    assert "class 9 is not in classes.txt" in rejected["images/3.png"]
    assert "not a picture" in rejected["images/4.png"]


def test_too_many_rejected_files_stop_the_stage(workspace: Path) -> None:
    for i in range(10):
        (workspace / f"plates/images/{i}.png").write_bytes(b"no picture at all")
    done = import_plates(workspace)
    assert done.returncode == 4
    assert "33% of the files were rejected" in last_line(done)
    assert len(pd.read_csv(workspace / "data/rejected.csv")) == 10


def test_labels_of_one_class_only_stop_the_stage_and_the_old_plates_stay(workspace: Path) -> None:
    assert import_plates(workspace).returncode == 0
    before = sorted((workspace / "data/plates").iterdir())
    for label in (workspace / "plates/labels").iterdir():
        label.write_text("1 0.2 0.5 0.1 0.5\n", encoding="utf-8")
    done = import_plates(workspace)
    assert done.returncode == 4
    assert "the labels use one class, '1'" in last_line(done)
    assert sorted((workspace / "data/plates").iterdir()) == before


def test_pictures_of_one_name_are_read_once(workspace: Path) -> None:
    (workspace / "plates/images/3.jpg").write_bytes((workspace / "plates/images/3.png").read_bytes())
    assert import_plates(workspace).returncode == 0
    rejected = pd.read_csv(workspace / "data/rejected.csv", index_col="file")["reason"]
    assert rejected["images/3.png"] == "another picture of this name has the same label file"


def test_an_empty_set(workspace: Path) -> None:
    for path in (workspace / "plates/images").iterdir():
        path.unlink()
    for path in (workspace / "plates/labels").iterdir():
        path.unlink()
    done = import_plates(workspace)
    assert done.returncode == 4
    assert "no usable plate" in last_line(done)


def test_a_missing_folder(workspace: Path) -> None:
    (workspace / "plates").rename(workspace / "elsewhere")
    done = import_plates(workspace)
    assert done.returncode == 4
    assert "not found. Set plates.source" in last_line(done)


def test_a_wrong_parameter_is_named(workspace: Path) -> None:
    text = (workspace / "params.yaml").read_text(encoding="utf-8")
    (workspace / "params.yaml").write_text(text.replace("direction: ltr", "direction: down"), encoding="utf-8")
    done = import_plates(workspace)
    assert done.returncode == 3
    assert "plates.direction" in last_line(done)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "data/plates"), "data/plates: no write access"),
        (
            OSError(errno.ENOSPC, "No space left on device", "models/sr"),
            "models/sr: No space left on device. Free some",
        ),
    ],
)
def test_a_disk_that_refuses(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: OSError, said: str
) -> None:
    def run(common: Common) -> dict[str, float]:
        raise error

    monkeypatch.chdir(workspace)
    monkeypatch.setattr(sys, "argv", ["stage"])
    with pytest.raises(SystemExit) as left:
        main(run)
    assert left.value.code == 2
    assert said in caplog.text
