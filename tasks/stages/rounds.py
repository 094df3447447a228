"""DVC stage: rounds 2..N of the alternation, both networks at once at the end, and the final pair of networks."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from acl_core.evaluate.methods import RECOGNIZER_FILE, SR_FILE
from acl_core.models.build import load_recognizer, load_sr
from acl_core.params import Augment, Common, Phase1, Phase2, Reading, RecognizerParams, Rounds, Trains
from acl_core.params_sr import Sr
from acl_core.train.loop import FitResult, Job
from acl_core.train.phases import TrainingData
from acl_core.train.phases import phase1 as train_sr
from acl_core.train.phases import phase2 as train_recognizer
from acl_core.train.tracker import Later
from tasks.stages._main import main
from tasks.stages._results import save_recognizer, save_sr

log = logging.getLogger(__name__)


def run(
    sr: Sr,
    recognizer: RecognizerParams,
    augment: Augment,
    reading: Reading,
    phase1: Phase1,
    phase2: Phase2,
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
    """Repeat Phase 1 and Phase 2, then train both at once; with neither (the paper) the pair is passed on as it is."""
    data = TrainingData.load(pairs, augment, sr.bucket_px, common.seed, job.memory_mib)
    enlarger = load_sr(scale, sr, from_sr / SR_FILE, job.compute)
    reader = load_recognizer(recognizer, data.train.card.classes, from_recognizer / RECOGNIZER_FILE, job.compute)
    first = partial(train_sr, enlarger, reader, data, phase1, reading)
    second = partial(train_recognizer, enlarger, reader, data, phase2, reading)
    trainings = []
    for number in range(2, rounds.n + 1):
        trainings += [(f"round{number}-phase1", number, first), (f"round{number}-phase2", number, second)]
    if rounds.joint_epochs:
        together = phase1.model_copy(update={"epochs": rounds.joint_epochs, "trains": Trains.BOTH})
        trainings += [("joint", rounds.n + 1, partial(train_sr, enlarger, reader, data, together, reading))]

    history: list[dict[str, float]] = []
    best: dict[str, float] = {}
    memory: dict[str, float] = {}
    for name, number, training in trainings:
        part = training(_part(job, name, len(history)))
        history, best = _joined(history, part, number), part.best
        for key, value in part.memory.items():
            memory[key] = max(memory.get(key, 0), value)
    result = FitResult(best, history, memory)
    save_sr(enlarger, result, data, out, curves, job)
    return save_recognizer(reader, enlarger, reading, result, data, out, curves, job)


def _part(job: Job, name: str, epochs_before: int) -> Job:
    """The job of one training of many, with a resume point of its own and epochs that go on."""
    tracker = Later(job.tracker, epochs_before)
    return replace(job, label=f"{job.label} {name}", tracker=tracker, checkpoint=job.checkpoint.part(name))


def _joined(history: list[dict[str, float]], result: FitResult, number: int) -> list[dict[str, float]]:
    """One row an epoch, over all trainings."""
    before = len(history)
    return history + [row | {"round": float(number), "epoch": before + row["epoch"]} for row in result.history]


if __name__ == "__main__":
    main(run)
