"""DVC as this project calls it: a process of its own, whose children die with it."""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from acl_core.errors import AclError
from acl_core.train.stopping import EXIT_CODE
from tasks import stopped
from tasks.processes import Together, end_group

# glibc hands the large buffers of a training step back to the system and asks for them anew in every step. Keeping
# them, in huge pages, takes 9 % off a whole SR training and 13 % off its processor time (docs/LOG.md). A user's own
# setting wins.
_KEEP_MEMORY = "glibc.malloc.mmap_threshold=8589934592:glibc.malloc.trim_threshold=8589934592:glibc.malloc.hugetlb=1"
_together: ContextVar[Together | None] = ContextVar("together", default=None)
_LINES_SHOWN = 15  # of a stage that failed
_STAGE_CODE = re.compile(r"exited with (-?\d+)")
_UNSAVED = "unsaved files"  # DVC's words where it would have to overwrite somebody's work
_EDGE = re.compile(r'"([^"]+)" -> "([^"]+)"')


class StageFailedError(AclError):
    """A DVC stage ended with an error.

    Args:
        message: What failed, where, and its last error line.
        stage_code: Exit code of the stage itself, negative for a signal; None when it did not come to run.
        last_lines: What it printed at the end.
    """

    exit_code = 7

    def __init__(self, message: str, stage_code: int | None = None, last_lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.stage_code = stage_code
        self.last_lines = tuple(last_lines)


class StageStoppedError(AclError):
    """A training was told to stop and wrote a checkpoint; the same command goes on."""

    exit_code = EXIT_CODE


def reproduce(
    workspace: Path,
    *,
    on_line: Callable[[str], None] | None = None,
    stage: str | None = None,
    force: bool = False,
    from_remote: bool = False,
    environment: Mapping[str, str] | None = None,
) -> list[str]:
    """Run the pipeline of a workspace, or one stage of it; what is up to date is skipped by DVC.

    Args:
        workspace: Its folder.
        on_line: Receives each line of output; without it the output goes to the terminal, progress bars included.
        stage: One stage alone, such as ``phase1@4``. Its parents must be up to date: DVC does not ask.
        force: Run it even when nothing changed.
        from_remote: Restore what another machine has run and pushed; needs a default remote.
        environment: On top of this process's own, such as the GPU to use.

    Returns:
        The lines of output; empty when they went to the terminal.

    Raises:
        StageFailedError: A stage failed; the message has its last line.
        StageStoppedError: A training was told to stop, alone or with this process, and the next call goes on.
    """
    arguments = ["--wait-for-lock", "repro", *(["--force"] if force else []), *(["--pull"] if from_remote else [])]
    arguments += ["--single-item", stage] if stage else []
    stopped.forget(workspace)
    try:
        return _reproduce(workspace, arguments, stage or "dvc repro", on_line, environment or {})
    except (StageFailedError, StageStoppedError, SystemExit, KeyboardInterrupt) as error:
        if message := stopped.noted(workspace):
            raise StageStoppedError(f"{message}; the same command goes on") from error
        raise


def _reproduce(
    workspace: Path,
    arguments: Sequence[str],
    what: str,
    on_line: Callable[[str], None] | None,
    environment: Mapping[str, str],
) -> list[str]:
    lines: list[str] = []
    with _running(arguments, workspace, capture=on_line is not None, environment=environment) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            if on_line is not None:
                on_line(line.rstrip())
        code = process.wait()
    if code:
        said = [line for line in lines if " ERROR " in line] or [line for line in lines if line.startswith("ERROR")]
        last = said[-1] if said else "see the lines above"
        message = f"{what} failed in {workspace} (exit {code}): {last}"
        raise StageFailedError(message, _code_of_stage(lines), [line for line in lines if line][-_LINES_SHOWN:])
    return lines


def _code_of_stage(lines: Sequence[str]) -> int | None:
    """DVC ends with a code of its own and says that of the stage in its last words."""
    said = next((found for line in reversed(lines) if (found := _STAGE_CODE.search(line))), None)
    return int(said[1]) if said else None


def stages(workspace: Path) -> list[str]:
    """Names of all stages in the order of ``dvc.yaml``."""
    return _answer(["stage", "list", "--name-only"], workspace).splitlines()


def outs(workspace: Path, stage: str) -> list[str]:
    """Paths that a stage makes, as ``dvc.yaml`` writes them."""
    raw = yaml.safe_load((workspace / "dvc.yaml").read_text(encoding="utf-8"))
    return [str(out) for out in raw["stages"][stage]["outs"]]


def metrics(workspace: Path, stage: str) -> list[str]:
    """Files of numbers that a stage makes, as ``dvc.yaml`` writes them."""
    raw = yaml.safe_load((workspace / "dvc.yaml").read_text(encoding="utf-8"))
    return [
        file for entry in raw["stages"][stage]["metrics"] for file in ([entry] if isinstance(entry, str) else entry)
    ]


def has_remote(workspace: Path) -> bool:
    """Whether a default remote is set, from which and to which data travel."""
    return "remote" in _settings(workspace)["core"]


def cache_dir(workspace: Path) -> Path:
    """Where a workspace's DVC stores data; workspaces of one cache share what they have run."""
    set_ = _settings(workspace)["cache"].get("dir")
    return Path(set_) if set_ else workspace / ".dvc" / "cache"


def tracked(workspace: Path) -> list[str]:
    """Data that `dvc add` tracks, as the names of their ``.dvc`` files."""
    found = [*workspace.glob("*.dvc"), *workspace.glob("data/*.dvc")]
    return sorted(str(file.relative_to(workspace)) for file in found if file.is_file())  # .dvc itself is a folder


def pull(workspace: Path, files: Sequence[str]) -> None:
    """Fetch tracked data from the remote.

    Raises:
        AclError: The remote is away, or lacks them, or files here were changed and not taken up since.
    """
    try:
        _answer(["--wait-for-lock", "pull", *files], workspace)
    except AclError as error:
        if _UNSAVED not in str(error):
            raise
        tracked = " ".join(Path(file).with_suffix("").as_posix() for file in files)  # DVC would say `--force`: they go
        raise AclError(
            f"{workspace}: {tracked} changed since DVC took it up. `dvc add {tracked}` there keeps the changes."
        ) from error


def commit(workspace: Path, files: Sequence[str]) -> None:
    """Take up what changed in tracked data as their new version."""
    _answer(["--wait-for-lock", "commit", "--force", *files], workspace)


def push(workspace: Path) -> None:
    """Send outputs and the record of runs to the remote.

    Raises:
        AclError: The remote is away or refuses.
    """
    _answer(["--wait-for-lock", "push", "--run-cache"], workspace)


def parents(workspace: Path) -> dict[str, set[str]]:
    """The stages that each stage takes something from, in the order of ``dvc.yaml``."""
    edges = _EDGE.findall(_answer(["dag", "--dot"], workspace))
    found: dict[str, set[str]] = {stage: set() for stage in stages(workspace)}
    for parent, child in edges:
        if parent in found:  # not a .dvc file, which is data
            found[child].add(parent)
    return found


def changes(workspace: Path) -> dict[str, list[str]]:
    """What changed of each stage's own inputs, parameters, code and outputs; one that is up to date is left out.

    Data that `dvc add` tracks stand there too, by their ``.dvc`` files.
    """
    raw = json.loads(_answer(["status", "--json"], workspace) or "{}")
    return {stage: [reason for change in found for reason in _reasons(change)] for stage, found in raw.items()}


def _reasons(change: str | Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """In words: ``{"changed deps": {"params.yaml": {"phase1": "modified"}}}`` is ``params.yaml: phase1 modified``."""
    if isinstance(change, str):
        yield change
        return
    for files in change.values():
        for file, how in files.items():
            if isinstance(how, Mapping):
                yield f"{file}: " + ", ".join(f"{key} {state}" for key, state in how.items())
            else:
                yield f"{file} {how}"


def is_up_to_date(workspace: Path) -> bool:
    """Whether every stage's outputs fit its inputs, parameters and code."""
    try:
        return all(name.endswith(".dvc") for name in changes(workspace))  # data, which is its owner's to take up
    except AclError:  # no DVC repository, or a broken one
        return False


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
    settings = _settings(workspace)
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


def _settings(workspace: Path) -> dict[str, Any]:
    """All that is configured for a workspace's DVC, with paths made absolute."""
    from dvc.config import Config  # 0.5 s

    settings: dict[str, Any] = Config(str(workspace / ".dvc")).read()
    return settings


def _answer(arguments: list[str], workspace: Path) -> str:
    # Warnings stay apart: after a kill DVC says whose lock it removed, which is no part of an answer in JSON.
    with _running(arguments, workspace, capture=True, stderr=subprocess.PIPE) as process:
        output, said = process.communicate()
    if process.returncode:
        what = next(argument for argument in arguments if not argument.startswith("-"))
        lines = [line for line in (output + said).splitlines() if not line.startswith("Having any troubles?")]
        raise AclError(f"dvc {what} failed in {workspace}: {' '.join(' '.join(lines).split())}")
    return str(output)


@contextlib.contextmanager
def _running(
    arguments: Sequence[str],
    workspace: Path,
    *,
    capture: bool,
    stderr: int = subprocess.STDOUT,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator["subprocess.Popen[str]"]:
    """A DVC process in a session of its own; when the caller leaves, it and the training below it are gone.

    Without that a cancelled run leaves the training alive, and with it DVC's lock. A SIGTERM has to arrive here as an
    exception: :func:`tasks.environment.prepare` sees to that, and Prefect does within a flow.
    """
    # Stages run `python`; it has to be this one, whether or not its environment was activated.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    together = _together.get() or Together()
    process = together.start(
        lambda: subprocess.Popen(
            [sys.executable, "-m", "dvc", *arguments],
            cwd=workspace,
            env={"GLIBC_TUNABLES": _KEEP_MEMORY} | os.environ | dict(environment) | {"PATH": path},
            stdout=subprocess.PIPE if capture else None,
            stderr=stderr if capture else None,
            text=True,
            start_new_session=True,
        )
    )
    if process is None:
        raise _not_done(workspace)
    try:
        yield process
    finally:
        end_group(process)
        together.forget(process)
    check_goes_on(workspace)  # where it was ended, what it said last is no failure of its own


@contextlib.contextmanager
def ending_together() -> Iterator[None]:
    """Where this block is left by an exception, all that its threads run of DVC ends, and they start nothing more.

    A signal reaches the main thread alone: its threads would wait for their trainings, and one that waits for a GPU
    would start the next. They are known by their context, which Prefect's task runners copy from here; so what another
    block starts in this process, then or later, goes on.
    """
    together = Together()
    token = _together.set(together)
    try:
        yield
    except BaseException:
        together.end()
        raise
    finally:
        _together.reset(token)


def check_goes_on(workspace: Path) -> None:
    """Leave a thread whose run ends; whoever waits for something else than DVC has to ask.

    Raises:
        StageStoppedError: The block of :func:`ending_together` from which this thread comes was left by an exception.
    """
    together = _together.get()
    if together is not None and together.ended:
        raise _not_done(workspace)


def _not_done(workspace: Path) -> StageStoppedError:
    return StageStoppedError(f"{workspace}: not done, as this run ends; the same command goes on")
