"""DVC stage: the control that keeps the method honest, Phase 2 without super-resolution."""

from collections.abc import Mapping
from pathlib import Path

from acl_core.evaluate.methods import RECOGNIZER_FILE
from acl_core.models.build import load_recognizer
from acl_core.models.enlarger import Bicubic
from acl_core.params import Augment, BicubicPhase2, Common, Phase2, Reading, RecognizerParams
from acl_core.train.loop import Job
from acl_core.train.phases import TrainingData
from acl_core.train.phases import phase2 as train
from tasks.stages._main import main
from tasks.stages._results import save_recognizer


def run(
    sr__bucket_px: int,
    recognizer: RecognizerParams,
    augment: Augment,
    reading: Reading,
    phase2: Phase2,
    bicubic_phase2: BicubicPhase2,
    common: Common,
    *,
    scale: int,
    pairs: Path,
    from_recognizer: Path,
    out: Path,
    curves: Path,
    job: Job,
) -> Mapping[str, float]:
    """Train the HR recognizer further on bicubic-enlarged LR, as in Phase 2.

    It depends on no SR network, so that the results of several share one control.
    """
    epochs = phase2.epochs if bicubic_phase2.epochs is None else bicubic_phase2.epochs
    data = TrainingData.load(pairs, augment, sr__bucket_px, common.seed, job.memory_mib)
    net = load_recognizer(recognizer, data.train.card.classes, from_recognizer / RECOGNIZER_FILE, job.compute)
    bicubic = Bicubic(scale)
    result = train(bicubic, net, data, phase2.model_copy(update={"epochs": epochs}), reading, job)
    return save_recognizer(net, bicubic, reading, result, data, out, curves, job)


if __name__ == "__main__":
    main(run)
