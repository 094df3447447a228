"""DVC stage: Phase 1 of the alternation."""

from collections.abc import Mapping
from pathlib import Path

from acl_core.evaluate.methods import RECOGNIZER_FILE, SR_FILE
from acl_core.models.build import load_recognizer, load_sr
from acl_core.params import Augment, Common, Phase1, Reading, RecognizerParams
from acl_core.params_sr import Sr
from acl_core.train.loop import Job
from acl_core.train.phases import TrainingData
from acl_core.train.phases import phase1 as train
from tasks.stages._main import main
from tasks.stages._results import save_recognizer, save_sr


def run(
    sr: Sr,
    recognizer: RecognizerParams,
    augment: Augment,
    reading: Reading,
    phase1: Phase1,
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
    """Train SR in front of the frozen recognizer with Loss_SR + alpha * Loss_char (Eq. 1), or both at once.

    The recognizer is left beside it: what stands behind SR after this phase is the same files either way.
    """
    data = TrainingData.load(pairs, augment, sr.bucket_px, common.seed, job.memory_mib)
    net = load_sr(scale, sr, from_sr / SR_FILE, job.compute)
    behind = load_recognizer(recognizer, data.train.card.classes, from_recognizer / RECOGNIZER_FILE, job.compute)
    result = train(net, behind, data, phase1, reading, job)
    save_recognizer(behind, net, reading, result, data, out, curves, job)
    return save_sr(net, result, data, out, curves, job)


if __name__ == "__main__":
    main(run)
