"""Pictures of a frozen enlarger that come back in later epochs."""

import math
from collections.abc import Callable

from torch import Tensor

from acl_core.data.batches import Batch

_MIB = 2**20


class KeptPictures:
    """Enlarged pictures of batches, rounded to 8 bits: as many as memory holds, the others are made again.

    Rounded in either case, so that no result depends on the memory, nor on what a killed run had kept.

    Args:
        memory_mib: What they may take.
    """

    def __init__(self, memory_mib: float) -> None:
        self._left = memory_mib * _MIB if math.isfinite(memory_mib) else math.inf
        self._kept: dict[tuple[int, ...], Tensor] = {}

    def of(self, batch: Batch, make: Callable[[], Tensor]) -> Tensor:
        """(N, 3, H, W) float32 in [0, 1]: the batch enlarged.

        Args:
            batch: With a key that is its own.
            make: Enlarges it; called unless its pictures were kept.
        """
        pictures = self._found(batch.key)
        if pictures is None:
            pictures = (make().float().clamp(0, 1) * 255).round().byte()
            if pictures.nbytes <= self._left:
                self._left -= pictures.nbytes
                self._kept[batch.key] = pictures
        return pictures.float() / 255

    def _found(self, key: tuple[int, ...]) -> Tensor | None:
        """Of the batch, or of the one that it is a part of since batches were cut in two."""
        if key in self._kept:
            return self._kept[key]
        *whole, first, end = key or (0, 0)
        kept = self._found(tuple(whole)) if whole else None
        return None if kept is None else kept[first:end]
