"""Cells that run at once and need the same training: one runs it, the other waits and takes it from DVC's cache."""

import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tasks import dvc_client
from tasks.dvc_client import StageStoppedError
from tasks.stopped import stop_at

log = logging.getLogger(__name__)

_LOOK_S = 0.5


def run_shared(folder: Path, run_stage: Callable[[str], object]) -> None:
    """Run every stage of a cell, in the order of ``dvc.yaml``; one that another cell is running is waited for.

    Args:
        folder: The cell's workspace.
        run_stage: Given a stage as DVC names it; skips what is up to date and takes what is in the cache.

    Raises:
        StageStoppedError: The run ends, or its time is up.
    """
    parents = dvc_client.parents(folder)
    for stage in parents:
        with nobody_else_runs(folder, stage, parents):
            run_stage(stage)


@contextmanager
def nobody_else_runs(folder: Path, stage: str, parents: dict[str, set[str]]) -> Iterator[None]:
    """Hold a stage for oneself, among all cells for which it would come to the same.

    Args:
        folder: The cell's workspace.
        stage: As DVC names it.
        parents: Of :func:`tasks.dvc_client.parents`.

    Raises:
        StageStoppedError: The run ends, or its time is up.
    """
    locks = dvc_client.cache_dir(folder).parent / "tmp" / "cells"
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / f"{_same(folder, stage, parents)}.lock").open("w") as file:
        told = False
        while not _got(file.fileno()):
            if not told:
                log.info("%s: another cell runs the same %s; this one waits for it", folder.name, stage)
                told = True
            dvc_client.check_goes_on(folder)  # a thread has no signal that would end its wait
            if (end := stop_at(os.environ)) is not None and time.time() >= end:
                raise StageStoppedError(f"time is up while {folder.name} waits; the same command goes on")
            time.sleep(_LOOK_S)  # a blocking call would not hear that the run is told to end
        yield  # closing the file frees it, and so does the end of the process


def _got(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _same(folder: Path, stage: str, parents: dict[str, set[str]]) -> str:
    """Hash of all parameters that decide what a stage gives: its own and those of all stages before it."""
    raw: dict[str, Any] = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    stages: dict[str, Any] = yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    names, waiting = {stage}, [stage]
    while waiting:
        before = parents[waiting.pop()] - names
        names |= before
        waiting += before
    wanted = {name for s in names for name in stages[s.partition("@")[0]].get("params", [])}
    text = json.dumps([stage, {name: _value(raw, name) for name in sorted(wanted)}], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _value(raw: dict[str, Any], name: str) -> Any:
    """A section of the parameters, or one field of it such as ``sr.bucket_px``."""
    section, _, field = name.partition(".")
    return raw[section][field] if field else raw[section]
