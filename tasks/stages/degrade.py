"""DVC stage: LR pictures for one scale."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from acl_core.data.degrade import degrade
from acl_core.data.manifest import Plate, read_card, read_plates, write_plates
from acl_core.errors import DataError
from tasks.stages._main import main

log = logging.getLogger(__name__)


def run(*, scale: int, plates: Path, out: Path) -> Mapping[str, float]:
    """Make (LR, HR) pairs by antialiased bicubic reduction.

    Args:
        scale: HR size over LR size.
        plates: Shards of HR plates.
        out: Folder of shards to make.
    """
    card = read_card(plates)
    bar = tqdm(read_plates(plates), desc=f"degrade x{scale}", total=sum(card.plates.values()), disable=None)
    card = write_plates(_degraded(bar, scale), replace(card, scale=scale), out)
    return {name: float(count) for name, count in card.plates.items()}


def _degraded(stream: Iterable[Plate], scale: int) -> Iterator[Plate]:
    """Pairs; a plate that this scale would cut a character from is left out and named."""
    for plate in stream:
        try:
            yield degrade(plate, scale)
        except DataError as error:
            log.warning("left out: %s", error)


if __name__ == "__main__":
    main(run)
