"""DVC stage: rounds 2..N of the alternation, and the final pair of networks."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from acl_core.models.build import load_recognizer, load_sr
from acl_core.params import Augment, Common, Phase1, Reading, RecognizerParams, Rounds, Sr, Training
from acl_core.train.loop import FitResult, Job
from acl_core.train.phases import TrainingData
from acl_core.train.phases import phase1 as train_sr
from acl_core.train.phases import phase2 as train_recognizer
from tasks.stages._main import main
from tasks.stages._results import RECOGNIZER_FILE, SR_FILE, save_recognizer, save_sr

log = logging.getLogger(__name__)


def run(
    sr: Sr,
    recognizer: RecognizerParams,
    augment: Augment,
    reading: Reading,
    phase1: Phase1,
    phase2: Training,
    rounds: Rounds,
    common: Common,
    *,
    scale: int,
    pairs: Path,
    from_sr: Path,
    from_recognizer: Path,
    out: Path,
    curves: Path,
    job: Job,
) -> Mapping[str, float]:
    """Repeat Phase 1 and Phase 2; with one round (the paper) the pair is passed on as it is."""
    data = TrainingData.load(pairs, augment, sr.bucket_px, common.seed)
    enlarger = load_sr(scale, sr, from_sr / SR_FILE, job.compute)
    reader = load_recognizer(recognizer, data.train.card.classes, from_recognizer / RECOGNIZER_FILE, job.compute)
    history: list[dict[str, float]] = []
    best: dict[str, float] = {}
    for number in range(2, rounds.n + 1):
        first = train_sr(enlarger, reader, data, phase1, reading, _part(job, f"round{number}-phase1"))
        second = train_recognizer(enlarger, reader, data, phase2, reading, _part(job, f"round{number}-phase2"))
        history += [row | {"round": float(number)} for row in first.history + second.history]
        best = second.best
    result = FitResult(best, history)
    save_sr(enlarger, result, data, out, curves, job)
    return save_recognizer(reader, result, data, out, curves, job)


def _part(job: Job, name: str) -> Job:
    """The job of one training of many, with a resume point of its own."""
    return replace(job, label=f"{job.label} {name}", checkpoint=job.checkpoint.part(name))


if __name__ == "__main__":
    main(run)
