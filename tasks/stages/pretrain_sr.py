"""DVC stage: super-resolution alone."""

from collections.abc import Mapping
from pathlib import Path

from acl_core.models.build import build_sr
from acl_core.params import Augment, Common, PretrainSr
from acl_core.params_sr import Sr
from acl_core.seeding import torch_seed
from acl_core.train.loop import Job
from acl_core.train.phases import TrainingData
from acl_core.train.phases import pretrain_sr as train
from tasks.stages._main import main
from tasks.stages._results import save_sr


def run(
    sr: Sr,
    augment: Augment,
    pretrain_sr: PretrainSr,
    common: Common,
    *,
    scale: int,
    pairs: Path,
    out: Path,
    curves: Path,
    job: Job,
) -> Mapping[str, float]:
    """Pretrain the super-resolution network on whole plates with the pixel loss (Sec. III-A, Eq. 2)."""
    data = TrainingData.load(pairs, augment, sr.bucket_px, common.seed, job.memory_mib)
    with torch_seed(common.seed):
        net = build_sr(scale, sr)
    job.compute.place(net)
    result = train(net, data, pretrain_sr, job)
    return save_sr(net, result, data, out, curves, job)


if __name__ == "__main__":
    main(run)
