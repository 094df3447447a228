"""What every training stage leaves behind: weights with a card, curves, and a few plates to look at."""

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from acl_core.evaluate.methods import RECOGNIZER_FILE, SR_FILE
from acl_core.models.build import build_recognizer
from acl_core.models.enlarger import Enlarger
from acl_core.models.recognizer import Recognizer
from acl_core.models.weights import save_weights
from acl_core.params import Reading, RecognizerParams
from acl_core.seeding import torch_seed
from acl_core.train.loop import FitResult, Job
from acl_core.train.phases import TrainingData
from acl_core.train.tracker import write_curves
from tasks.provenance import git_commit


def fresh_recognizer(params: RecognizerParams, data: TrainingData, job: Job) -> Recognizer:
    """A recognizer that knows nothing but the shapes of the training characters, on its device."""
    with torch_seed(data.seed):
        boxes = np.concatenate(data.train.shares())
        net = build_recognizer(params, len(data.train.card.classes), boxes=boxes, seed=data.seed)
    job.compute.place(net)
    return net


def save_sr(
    sr: Enlarger, result: FitResult, data: TrainingData, out: Path, curves: Path, job: Job
) -> Mapping[str, float]:
    """Save a trained enlarger and show what it makes of a few validation plates; the first process does."""
    if not job.processes.is_first:
        return result.best
    save_weights(sr, out / SR_FILE, _card(sr, result, data, job) | {"scale": sr.scale})
    _finish(result, curves, job)
    job.tracker.picture("validation", data.pictures(job.compute)(sr))
    return result.best


def save_recognizer(
    recognizer: Recognizer,
    enlarger: Enlarger | None,
    rule: Reading,
    result: FitResult,
    data: TrainingData,
    out: Path,
    curves: Path,
    job: Job,
) -> Mapping[str, float]:
    """Save a trained recognizer and show what it reads on a few validation plates, enlarged as in its training.

    Its card holds the classes in the order of its output.
    """
    if not job.processes.is_first:
        return result.best
    card = _card(recognizer, result, data, job)
    card |= {"classes": list(data.train.card.classes), "input_px": recognizer.input_px}
    save_weights(recognizer, out / RECOGNIZER_FILE, card)
    _finish(result, curves, job)
    job.tracker.picture("validation", data.readings(enlarger, rule, job.compute)(recognizer))
    return result.best


def _card(net: Enlarger | Recognizer, result: FitResult, data: TrainingData, job: Job) -> dict[str, Any]:
    return {
        "stage": job.label,
        "network": type(net).__name__,
        "parameters": sum(p.numel() for p in net.parameters()),
        "data": data.train.card.source,
        "plates": data.train.card.plates,
        "seed": data.seed,
        "validation": result.best,
        "precision": job.compute.precision.value,
        "memory_format": "channels_last",
        "device": job.compute.device.type,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "commit": git_commit(),
        **result.memory,
        **job.provenance,
    }


def _finish(result: FitResult, curves: Path, job: Job) -> None:
    write_curves(result.history, curves)
    job.tracker.artifact(curves)
