"""DVC stage: the control that keeps the method honest, Phase 2 without super-resolution."""

from collections.abc import Mapping
from pathlib import Path

from acl_core.evaluate.methods import RECOGNIZER_FILE
from acl_core.models.build import load_recognizer
from acl_core.models.enlarger import Bicubic
from acl_core.params import Augment, Common, Reading, RecognizerParams, Sr, Training
from acl_core.train.loop import Job
from acl_core.train.phases import TrainingData
from acl_core.train.phases import phase2 as train
from tasks.stages._main import main
from tasks.stages._results import save_recognizer


def run(
    sr: Sr,
    recognizer: RecognizerParams,
    augment: Augment,
    reading: Reading,
    phase2: Training,
    common: Common,
    *,
    scale: int,
    pairs: Path,
    from_recognizer: Path,
    out: Path,
    curves: Path,
    job: Job,
) -> Mapping[str, float]:
    """Train the HR recognizer further on bicubic-enlarged LR, with the same updates as Phase 2."""
    data = TrainingData.load(pairs, augment, sr.bucket_px, common.seed, job.memory_mib)
    net = load_recognizer(recognizer, data.train.card.classes, from_recognizer / RECOGNIZER_FILE, job.compute)
    bicubic = Bicubic(scale)
    result = train(bicubic, net, data, phase2, reading, job)
    return save_recognizer(net, bicubic, reading, result, data, out, curves, job)


if __name__ == "__main__":
    main(run)
