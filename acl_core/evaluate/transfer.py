"""What a recognizer reads on plates of another source than the ones it was trained on, compared as text."""

import hashlib
from collections.abc import Collection, Sequence

from acl_core.data.batches import PairSet
from acl_core.data.manifest import text_of
from acl_core.device import Compute
from acl_core.evaluate.outcome import readings, run_method
from acl_core.models.recognizer import Recognizer
from acl_core.params import Reading

_BUCKET_PX = 16  # of HR; what a plate gives does not depend on it


def read_elsewhere(
    recognizer: Recognizer,
    classes: Sequence[str],
    pairs: PairSet,
    rule: Reading,
    compute: Compute,
    *,
    unlabelled: Collection[str] = (),
) -> list[str]:
    """The text that a recognizer reads on each plate at HR.

    The two sources have class lists of their own, so texts are compared, not class numbers.

    Args:
        recognizer: Trained elsewhere.
        classes: Of the recognizer, in the order of its output.
        pairs: The plates.
        rule: How boxes become text; not to be chosen on these plates.
        compute: Device and arithmetic.
        unlabelled: Classes that stand on the plates and that nobody has labelled there; left out where they are read.

    Returns:
        A text for each plate, in their order.
    """
    found = readings(run_method(None, recognizer, pairs, compute, _BUCKET_PX), rule, pairs.card.direction)
    texts = [[index for index in plate.classes if classes[index] not in unlabelled] for plate in found]
    return [text_of(text, classes) for text in texts]


def half_of(text: str) -> str:
    """``look`` for the half of the plate strings that a generator may be tuned by, ``final`` for the other half."""
    return "final" if hashlib.sha256(text.encode()).digest()[0] % 2 else "look"
