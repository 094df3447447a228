"""What the training loop asks of a network after an epoch."""

from collections.abc import Callable
from typing import TypeVar

from torch import nn

from acl_core.data.batches import PairSet
from acl_core.device import Compute
from acl_core.evaluate.outcome import measure_quality, run_method
from acl_core.evaluate.scores import summary
from acl_core.models.enlarger import Enlarger
from acl_core.models.recognizer import Recognizer
from acl_core.params import Reading

Net = TypeVar("Net", bound=nn.Module)
Validate = Callable[[Net], dict[str, float]]


def by_pictures(pairs: PairSet, compute: Compute, bucket_px: int) -> Validate[Enlarger]:
    """PSNR and SSIM of an enlarger that is trained alone."""

    def validate(sr: Enlarger) -> dict[str, float]:
        return measure_quality(sr, pairs, compute, bucket_px).means()

    return validate


def by_plates_read(
    method_of: Callable[[Net], tuple[Enlarger | None, Recognizer]],
    pairs: PairSet,
    rule: Reading,
    compute: Compute,
    bucket_px: int,
    *,
    compare: bool = False,
) -> Validate[Net]:
    """Plates read without a mistake and mAP50 of a network in its place.

    Args:
        method_of: The enlarger (None for HR) and the recognizer that a candidate network makes up.
        pairs: The validation side.
        rule: How boxes become text while training.
        compute: Device and arithmetic.
        bucket_px: As in training.
        compare: Also PSNR and SSIM, for a network that makes pictures.
    """

    def validate(net: Net) -> dict[str, float]:
        enlarger, recognizer = method_of(net)
        outcome = run_method(enlarger, recognizer, pairs, compute, bucket_px, compare=compare)
        return summary(outcome, pairs, rule)

    return validate
