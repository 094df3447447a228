"""DVC stage: the recognizer alone, on HR plates."""

from collections.abc import Mapping
from pathlib import Path

from acl_core.params import Augment, Common, PretrainRecognizer, Reading, RecognizerParams
from acl_core.train.loop import Job
from acl_core.train.phases import TrainingData
from acl_core.train.phases import pretrain_recognizer as train
from tasks.stages._main import main
from tasks.stages._results import fresh_recognizer, save_recognizer

_BUCKET_PX = 16  # of HR; costs nothing, because the join leaves the padding out before the network sees it


def run(
    recognizer: RecognizerParams,
    augment: Augment,
    reading: Reading,
    pretrain_recognizer: PretrainRecognizer,
    common: Common,
    *,
    plates: Path,
    out: Path,
    curves: Path,
    job: Job,
) -> Mapping[str, float]:
    """Train the character recognizer from scratch on high-resolution plates (Sec. III-B)."""
    data = TrainingData.load(plates, augment, _BUCKET_PX, common.seed, job.memory_mib)
    net = fresh_recognizer(recognizer, data, job)
    result = train(net, data, pretrain_recognizer, reading, job)
    return save_recognizer(net, None, reading, result, data, out, curves, job)


if __name__ == "__main__":
    main(run)
