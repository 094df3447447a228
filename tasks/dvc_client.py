"""DVC as this project calls it: a process of its own, whose children die with it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from acl_core.errors import AclError
from acl_core.train.stopping import EXIT_CODE
from tasks import stopped

# glibc hands the large buffers of a training step back to the system and asks for them anew in every step. Keeping
# them, in huge pages, takes 9 % off a whole SR training and 13 % off its processor time (docs/LOG.md). A user's own
# setting wins.
_KEEP_MEMORY = "glibc.malloc.mmap_threshold=8589934592:glibc.malloc.trim_threshold=8589934592:glibc.malloc.hugetlb=1"
_GRACE_S = 30  # for clean-up after a SIGTERM: a training finishes its step and writes a checkpoint


class StageFailedError(AclError):
    """A DVC stage ended with an error."""

    exit_code = 7


class StageStoppedError(AclError):
    """A training was told to stop and wrote a checkpoint; the same command goes on."""

    exit_code = EXIT_CODE


def reproduce(workspace: Path, *, on_line: Callable[[str], None] | None = None, stage: str | None = None) -> list[str]:
    """Run the pipeline of a workspace, or one stage of it; what is up to date is skipped by DVC.

    Args:
        workspace: Its folder.
        on_line: Receives each line of output; without it the output goes to the terminal, progress bars included.
        stage: One stage alone, such as ``phase1@4``. Its parents must be up to date: DVC does not ask.

    Returns:
        The lines of output; empty when they went to the terminal.

    Raises:
        StageFailedError: A stage failed; the message has its last line.
        StageStoppedError: A training was told to stop, alone or with this process, and the next call goes on.
    """
    stopped.forget(workspace)
    try:
        return _reproduce(workspace, on_line, stage)
    except (StageFailedError, SystemExit, KeyboardInterrupt) as error:
        if message := stopped.noted(workspace):
            raise StageStoppedError(f"{message}; the same command goes on") from error
        raise


def _reproduce(workspace: Path, on_line: Callable[[str], None] | None, stage: str | None) -> list[str]:
    only = ["--single-item", stage] if stage else []
    lines: list[str] = []
    with _running(["--wait-for-lock", "repro", *only], workspace, capture=on_line is not None) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            if on_line is not None:
                on_line(line.rstrip())
        code = process.wait()
    if code:
        last = next((line for line in reversed(lines) if " ERROR " in line), "see the lines above")
        raise StageFailedError(f"{stage or 'dvc repro'} failed in {workspace} (exit {code}): {last}")
    return lines


def stages(workspace: Path) -> list[str]:
    """Names of all stages in the order of ``dvc.yaml``."""
    return _answer(["stage", "list", "--name-only"], workspace).splitlines()


def outs(workspace: Path, stage: str) -> list[str]:
    """Paths that a stage makes, as ``dvc.yaml`` writes them."""
    raw = yaml.safe_load((workspace / "dvc.yaml").read_text(encoding="utf-8"))
    return [str(out) for out in raw["stages"][stage]["outs"]]


def is_up_to_date(workspace: Path) -> bool:
    """Whether every stage's outputs fit its inputs, parameters and code."""
    with _running(["status", "--quiet"], workspace, capture=True) as process:
        process.communicate()
        return process.returncode == 0


def restore(workspace: Path, out: Mapping[str, Any], folder: Path) -> Path:
    """Bring back an output that DVC stored once, from a workspace's cache or else from its remote.

    It happens in a DVC repository of its own with the workspace's settings, so that neither the workspace's files nor
    its lock are touched.

    Args:
        workspace: Whose cache and remote.
        out: What ``dvc.lock`` says of the output.
        folder: An empty folder.

    Returns:
        The output, below ``folder``.

    Raises:
        AclError: It is in neither.
    """
    from dvc.config import Config  # 0.5 s

    (folder / ".dvc").mkdir()
    settings = Config(str(workspace / ".dvc")).read()  # with paths made absolute
    with Config.init(str(folder / ".dvc")).edit() as own:
        own["core"] |= settings["core"] | {"no_scm": "true", "site_cache_dir": str(folder / "site")}
        own["cache"] |= {"dir": str(workspace / ".dvc" / "cache")} | settings["cache"]
        own["remote"] |= settings["remote"]
    known = {key: out[key] for key in ("md5", "hash", "size", "nfiles") if key in out}
    (folder / "out.dvc").write_text(yaml.safe_dump({"outs": [known | {"path": "out"}]}), encoding="utf-8")
    try:
        _answer(["checkout", "out.dvc"], folder)
    except AclError:
        if "remote" not in settings["core"]:
            raise
        _answer(["pull", "out.dvc"], folder)
    return folder / "out"


def _answer(arguments: list[str], workspace: Path) -> str:
    with _running(arguments, workspace, capture=True) as process:
        output, _ = process.communicate()
    if process.returncode:
        raise AclError(f"dvc {arguments[0]} failed in {workspace}: {' '.join(output.split())}")
    return str(output)


@contextlib.contextmanager
def _running(arguments: list[str], workspace: Path, *, capture: bool) -> Iterator["subprocess.Popen[str]"]:
    """A DVC process in a session of its own; when the caller leaves, it and the training below it are gone.

    Without that a cancelled run leaves the training alive, and with it DVC's lock. A SIGTERM has to arrive here as an
    exception: :func:`tasks.environment.prepare` sees to that, and Prefect does within a flow.
    """
    # Stages run `python`; it has to be this one, whether or not its environment was activated.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=workspace,
        env={"GLIBC_TUNABLES": _KEEP_MEMORY} | os.environ | {"PATH": path},
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.STDOUT if capture else None,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end_group(process)


def _end_group(process: "subprocess.Popen[str]") -> None:
    """Ask the whole session to end, then make it; a training may outlive the DVC that started it."""
    with contextlib.suppress(ProcessLookupError):  # nothing is left of it
        os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_S
        while time.monotonic() < deadline:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
