"""DVC stage: Phase 2 of the alternation."""

from collections.abc import Mapping
from pathlib import Path

from acl_core.evaluate.methods import RECOGNIZER_FILE, SR_FILE
from acl_core.models.build import load_recognizer, load_sr
from acl_core.params import Augment, Common, Phase2, Reading, RecognizerParams, Start
from acl_core.params_sr import Sr
from acl_core.train.loop import Job
from acl_core.train.phases import TrainingData
from acl_core.train.phases import phase2 as train
from tasks.stages._main import main
from tasks.stages._results import fresh_recognizer, save_recognizer


def run(
    sr: Sr,
    recognizer: RecognizerParams,
    augment: Augment,
    reading: Reading,
    phase2: Phase2,
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
    """Train the recognizer further on what the frozen SR makes of LR plates (Sec. III-C)."""
    data = TrainingData.load(pairs, augment, sr.bucket_px, common.seed, job.memory_mib)
    frozen = load_sr(scale, sr, from_sr / SR_FILE, job.compute)
    classes = data.train.card.classes
    match phase2.start:
        case Start.PRETRAINED:
            net = load_recognizer(recognizer, classes, from_recognizer / RECOGNIZER_FILE, job.compute)
        case Start.SCRATCH:
            net = fresh_recognizer(recognizer, data, job)
    result = train(frozen, net, data, phase2, reading, job)
    return save_recognizer(net, frozen, reading, result, data, out, curves, job)


if __name__ == "__main__":
    main(run)
