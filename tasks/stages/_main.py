"""The frame round every stage: parameters, paths, tracking, checkpoint and errors, from the signature of ``run``.

A stage is a function ``run``. Its positional parameters are sections of ``params.yaml``, or single numbers of them
(``sr__bucket_px`` is ``sr.bucket_px``), and ``dvc.yaml`` lists the same ones under ``params``. Its keyword parameters
of type Path or int are options of the command line, so that every path is written once, in ``dvc.yaml``. A keyword
parameter ``job`` of type :class:`acl_core.train.loop.Job` is made here. A stage that leaves ``curves`` is a training,
which several processes may share (:mod:`tasks.launch`).
"""

import argparse
import errno
import hashlib
import inspect
import logging
import os
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path
from typing import Any

import torch

import acl_core
from acl_core.device import Compute, compute_of
from acl_core.errors import AclError
from acl_core.files import hash_folder, write_atomically
from acl_core.params import Params, Precision, load_params
from acl_core.section import Section
from acl_core.train.checkpoint import Checkpoint
from acl_core.train.loop import Job
from acl_core.train.memory import peak_mib
from acl_core.train.processes import Processes, processes_of
from acl_core.train.stopping import Stop, Stopped
from acl_core.train.tracker import Silent, Tracker
from tasks import stopped
from tasks.environment import prepare
from tasks.launch import hand_over, is_first
from tasks.tracking import WithoutPictures, attach, open_tracker

log = logging.getLogger(__name__)

Run = Callable[..., Mapping[str, float]]
_CHECKPOINTS = Path("runs")  # outside DVC's outs, which DVC deletes before a stage runs
_PEAKS = Path("runs/peak_mib")  # a file a stage that has no run of its own in MLflow


def main(run: Run, attached: Sequence[str] = ()) -> None:
    """Run a stage from the command line and leave with its exit code.

    The files of the options ``attached`` are given to the pipeline's run in MLflow, with the peak memory of the stages
    that have no run of their own there.

    An :class:`AclError` is printed as one line; any other exception is a defect and keeps its traceback. A training
    that is told to stop leaves with :data:`acl_core.train.stopping.EXIT_CODE`.
    """
    options = _options(run)
    stage = stage_name(run, options)
    prepare(stage)
    if not is_first(os.environ):
        logging.getLogger().setLevel(logging.WARNING)
    try:
        if _is_training(options):
            hand_over(_module(run), sys.argv[1:], os.environ)
        params = load_params(Path("params.yaml"))
        _run(run, stage, options, params)
        if attached:
            attach(Path(params.code), *(options[name] for name in attached), metrics=_noted_peaks())
    except Stopped as told:
        if is_first(os.environ):
            stopped.note(Path(), f"{stage} stopped: {told}")
        log.warning("stopped: %s; the same command goes on", told)
        raise
    except AclError as error:
        log.error("%s: %s", type(error).__name__, error)
        sys.exit(error.exit_code)
    except PermissionError as error:
        log.error("%s: no write access. Change its owner or mode, or run in another workspace.", error.filename)
        sys.exit(2)
    except OSError as error:
        advice = " Free some and run again; finished stages and epochs are kept." if error.errno == errno.ENOSPC else ""
        log.error("%s: %s.%s", error.filename or "disk", error.strerror or error, advice)
        sys.exit(2)


def sections_of(run: Run) -> list[str]:
    """Names of the ``params.yaml`` sections that a stage takes, and of single numbers in them (``sr.bucket_px``)."""
    kinds = inspect.signature(run).parameters.values()
    names = [p.name for p in kinds if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    return [name.replace("__", ".") for name in names]


def options_of(run: Run) -> dict[str, type]:
    """Names and types of a stage's command-line options."""
    hints = typing.get_type_hints(run)
    kinds = inspect.signature(run).parameters.values()
    keywords = [p.name for p in kinds if p.kind is inspect.Parameter.KEYWORD_ONLY]
    return {name: hints[name] for name in keywords if hints[name] in (Path, int)}


def stage_name(run: Run, options: Mapping[str, Any]) -> str:
    """The stage as DVC names it, such as ``phase1@4``."""
    name = _module(run).rpartition(".")[2]
    return f"{name}@{options['scale']}" if "scale" in options else name


def _module(run: Run) -> str:
    spec = getattr(inspect.getmodule(run), "__spec__", None)
    return str(spec.name if spec else run.__module__)


def _is_training(options: Mapping[str, Any]) -> bool:
    return "curves" in options


def _options(run: Run) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=inspect.getdoc(run))
    for name, kind in options_of(run).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, required=True)
    return vars(parser.parse_args())


def _run(run: Run, stage: str, options: dict[str, Any], params: Params) -> None:
    sections = {name: attrgetter(name)(params) for name in sections_of(run)}
    with ExitStack() as stack:
        arguments = dict(options)
        checkpoint, device = None, torch.device("cpu")
        if typing.get_type_hints(run).get("job") is Job:
            inputs = {
                name: hash_folder(path) for name, path in options.items() if isinstance(path, Path) and path.is_dir()
            }
            stop = Stop(stopped.stop_at(os.environ))
            stack.enter_context(stop.listening())
            every_s = params.checkpoints.every_s
            checkpoint = Checkpoint(_CHECKPOINTS / stage, _key(sections, options, inputs), every_s=every_s)
            compute = compute_of(params.common)
            processes = processes_of(os.environ, compute.device) if _is_training(options) else Processes()
            stack.callback(processes.leave)
            precision = processes.of_first(partial(checkpoint.recall, "precision", compute.precision.value))
            compute = Compute(processes.device(compute.device), bf16=Precision(precision) is Precision.BF16)
            log.info("%s on %s in %s", stage, compute.device, compute.precision.value)
            settings = flatten(sections) | {"stage": stage, "used_precision": compute.precision.value} | _scale(options)
            tracker: Tracker = Silent()
            if processes.is_first:
                tracker = stack.enter_context(open_tracker(stage, Path(params.code), settings))
            if not params.privacy.show_pictures:  # no artifact depends on it, so it is no parameter of a training
                tracker = WithoutPictures(tracker)
            provenance = {"params": flatten(sections), "inputs_sha256": inputs}
            memory_mib = params.memory.plates_mib
            shows = params.privacy.show_pictures and processes.is_first
            arguments["job"] = Job(stage, compute, tracker, checkpoint, provenance, memory_mib, stop, shows, processes)
            device = compute.device
        result = run(*sections.values(), **arguments)
        numbers = dict(result) | {"peak_mib": peak_mib(device)}
        log.info("done: %s", ", ".join(f"{name} {value:.4g}" for name, value in numbers.items()))
        if checkpoint is None:
            _note_peak(stage, numbers["peak_mib"])
        elif is_first(os.environ):
            checkpoint.remove()


def flatten(sections: Mapping[str, Section | object]) -> dict[str, object]:
    """``{"phase1.alpha": 0.01, ...}`` of some sections and single numbers, for tracking."""
    flat: dict[str, object] = {}
    for name, value in sections.items():
        if isinstance(value, Section):
            flat |= {f"{name}.{key}": field for key, field in value.model_dump(mode="json").items()}
        else:
            flat[name] = value
    return flat


def _note_peak(stage: str, mib: float) -> None:
    _PEAKS.mkdir(parents=True, exist_ok=True)
    write_atomically(_PEAKS / stage, lambda temporary: temporary.write_text(f"{mib:.0f}", encoding="utf-8"))


def _noted_peaks() -> dict[str, float]:
    """``{"peak_mib.plates": 690.0, ...}``; a stage that did not run again keeps the peak of when it ran."""
    noted = sorted(_PEAKS.glob("[!.]*"))  # not what a kill left unfinished
    return {f"peak_mib.{path.name.replace('@', '.x')}": float(path.read_text(encoding="utf-8")) for path in noted}


def _scale(options: Mapping[str, Any]) -> dict[str, object]:
    return {"scale": options["scale"]} if "scale" in options else {}


def _key(sections: Mapping[str, Section | object], options: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """Hash of all that decides a training's result: sections, options, inputs, code and torch."""
    digest = hashlib.sha256()
    for name, value in sorted(sections.items()):
        text = value.model_dump_json() if isinstance(value, Section) else repr(value)
        digest.update(f"{name}={text}".encode())
    code = {"acl_core": Path(acl_core.__file__).parent, "stages": Path(__file__).parent}
    hashes = dict(inputs) | {name: hash_folder(folder, "*.py") for name, folder in code.items()}
    for name, value in sorted((dict(options) | hashes | {"torch": version("torch")}).items()):
        digest.update(f"{name}={value}".encode())
    return digest.hexdigest()[:16]
