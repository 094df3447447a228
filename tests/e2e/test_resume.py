"""Every training stage, killed while it writes a checkpoint in mid-epoch, ends with the bytes of one that was not.

Stages run by the commands that DVC runs, without DVC and MLflow, on toy plates.
"""

import csv
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.workspace import ROOT, merge, read_profile
from tests.plates import write_pairs

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

# Loads the libraries once, which takes longer than a toy training, and forks a process for each request: a folder, the
# checkpoint in the middle of which to die (0: none), a file for what it says, and commands. Answers with the exit code.
DRIVER = """
import json, os, runpy, shlex, signal, sys, traceback

sys.modules["mlflow"] = None  # seconds that these tests need not spend
import ultralytics.nn.tasks
from acl_core.train import checkpoint, phases
from tasks.stages import _main, _results

write_atomically, n_written = checkpoint.write_atomically, 0

def run(folder, die_at, log, commands):
    def write_or_die(path, write):
        global n_written
        n_written += path.suffix == ".pt"
        if path.suffix == ".pt" and n_written == die_at:
            path.with_name("." + path.name + ".unfinished").write_bytes(b"half a file")
            os.kill(os.getpid(), signal.SIGKILL)
        if n_written >= die_at - 1 or n_written % 8 == 0:  # the others are overwritten anyway; a disk takes its time
            write_atomically(path, write)

    checkpoint.write_atomically = write_or_die
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT), 2)
    os.chdir(folder)
    try:
        for command in commands:
            sys.argv = shlex.split(command)[2:]
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)

for line in sys.stdin:
    child = os.fork() or run(*json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

# Six updates an epoch and a checkpoint after each, one before and one after validation: eight an epoch, two epochs.
STAGES = {
    "pretrain_sr": 4,  # in the first epoch
    "pretrain_recognizer": 12,  # in the second
    "phase1": 12,
    "phase2": 8,  # after the validation of the first
    "rounds": 16 + 16 + 5,  # in the third of three trainings, that of both networks
    "bicubic_phase2": 7,  # before the validation of the first
}
SHORT = {"epochs": 2, "batch_size": 2, "validate_every": 1}
BASE = merge(yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")), read_profile("smoke"))
OWN = {
    "code": str(ROOT),
    "scales": [4],
    "sr": {"blocks": 2, "channels": 4, "features": 8},
    "recognizer": {"input_px": 64},
    "pretrain_sr": SHORT,
    "pretrain_recognizer": SHORT,
    "phase1": SHORT,
    "phase2": SHORT | {"fresh_epochs": 1},  # the plates of the first epoch come back in the second
    "rounds": {"n": 2, "joint_epochs": 1},
}
# SR pretraining as the other methods have it.
METHODS: dict[str, dict[str, Any]] = {
    "flip": {"pretrain_sr": {"objective": "flip"}},
    "drn": {"sr": {"architecture": "drn"}, "pretrain_sr": {"objective": "dual"}},
    "mzsr": {"sr": {"architecture": "mzsr", "mzsr": {"layers": 3, "channels": 4}}},
}


def command(stage: str) -> str:
    commands = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return str(commands[stage]["cmd"]).replace("${item.scale}", "4")


def option(stage: str, name: str) -> Path:
    words = shlex.split(command(stage))
    return Path(words[words.index(f"--{name}") + 1])


class Stages:
    """Runs stages as processes."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, workspace: Path, *stages: str, die_at: int = 0, method: str | None = None) -> tuple[int, str]:
        """The exit code and what was said; a stage that is to die writes a checkpoint after every update."""
        own = merge(OWN, METHODS[method]) if method else OWN
        params = merge(merge(BASE, own), {"checkpoints": {"every_s": 0 if die_at else 1e6}})
        (workspace / "params.yaml").write_text(yaml.safe_dump(params, allow_unicode=True), encoding="utf-8")
        log = workspace / "log.txt"
        log.unlink(missing_ok=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = json.dumps([str(workspace), die_at, str(log), [command(stage) for stage in stages]])
        print(request, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline()), log.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def stages() -> Iterator[Stages]:
    # One thread: a process with more must not be forked.
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Stages(process)


def curves(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return [{k: v for k, v in r.items() if k not in {"seconds", "plates_per_second"}} for r in csv.DictReader(file)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, stages: Stages) -> Path:
    """A workspace in which every training ran without a kill."""
    folder = tmp_path_factory.mktemp("whole")
    write_pairs(folder / option("pretrain_recognizer", "plates"), scale=None)
    write_pairs(folder / "data/pairs/x4")
    code, said = stages.run(folder, *STAGES)
    assert code == 0, said
    return folder


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_stage_ends_with_the_same_bytes(whole: Path, tmp_path: Path, stages: Stages, stage: str) -> None:
    out, rows = option(stage, "out"), option(stage, "curves")
    killed = tmp_path / "killed"
    for folder in ("data", "models"):
        shutil.copytree(whole / folder, killed / folder, copy_function=os.link)
    shutil.rmtree(killed / out)  # as DVC does before it runs a stage

    code, said = stages.run(killed, stage, die_at=STAGES[stage])
    assert code == -signal.SIGKILL, said
    assert not (killed / out).exists()
    assert list(killed.glob("runs/*/*/*.pt"))
    code, said = stages.run(killed, stage)
    assert code == 0, said
    assert "goes on after" in said
    weights = sorted(path.name for path in (whole / out).glob("*.safetensors"))
    assert weights
    assert weights == sorted(path.name for path in (killed / out).glob("*.safetensors"))
    for name in weights:
        assert (killed / out / name).read_bytes() == (whole / out / name).read_bytes(), name
    assert curves(killed / rows) == curves(whole / rows)
    # The result is safe, so no checkpoint is kept; what was reported waits for MLflow, which is not there.
    assert {path.name for path in killed.glob("runs/*")} <= {"tracking"}


@pytest.mark.parametrize("method", METHODS)
def test_another_method_that_is_killed_ends_with_the_same_bytes(tmp_path: Path, stages: Stages, method: str) -> None:
    weights = option("pretrain_sr", "out") / "sr.safetensors"
    for name in ("whole", "killed"):
        write_pairs(tmp_path / name / "data/pairs/x4")
    code, said = stages.run(tmp_path / "whole", "pretrain_sr", method=method)
    assert code == 0, said
    code, said = stages.run(tmp_path / "killed", "pretrain_sr", die_at=STAGES["pretrain_sr"], method=method)
    assert code == -signal.SIGKILL, said
    code, said = stages.run(tmp_path / "killed", "pretrain_sr", method=method)
    assert code == 0, said
    assert "goes on after" in said
    assert (tmp_path / "killed" / weights).read_bytes() == (tmp_path / "whole" / weights).read_bytes()


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """A disk of its own for a folder, with all that lies in it and without room for more."""
    kept = folder.with_name("kept")
    folder.rename(kept)
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(folder)], check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        with suppress(OSError), (folder / "filling").open("wb", buffering=0) as filling:
            while filling.write(bytes(4096)):
                pass
        yield
        (folder / "filling").unlink()
        shutil.rmtree(kept)
        shutil.copytree(folder, kept)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()
    kept.rename(folder)


def test_a_full_disk_ends_a_training_with_one_line_and_costs_nothing_before_it(
    whole: Path, tmp_path: Path, stages: Stages
) -> None:
    """No file is left half written, and the next run ends with the same bytes."""
    stage = "pretrain_sr"
    for folder in ("data", "models"):
        shutil.copytree(whole / folder, tmp_path / folder, copy_function=os.link)
    shutil.rmtree(tmp_path / option(stage, "out"))
    stages.run(tmp_path, stage, die_at=STAGES[stage])
    with full(tmp_path / "runs"):
        (checkpoint,) = tmp_path.glob("runs/*/*/last.pt")
        before = {path.name: path.read_bytes() for path in checkpoint.parent.iterdir()}
        code, said = stages.run(tmp_path, stage)
        assert code == 1
        told = f"{checkpoint.relative_to(tmp_path)}: No space left on device. Free some and run again"
        assert [line for line in said.splitlines() if told in line]
        assert "SystemExit: 2" in said  # and no other traceback
        assert {path.name: path.read_bytes() for path in checkpoint.parent.iterdir()} == before
    code, said = stages.run(tmp_path, stage)
    assert code == 0, said
    assert "goes on after" in said
    made = option(stage, "out") / "sr.safetensors"
    assert (tmp_path / made).read_bytes() == (whole / made).read_bytes()
