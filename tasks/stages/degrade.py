"""DVC stage: LR pictures for one scale."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from acl_core.data.degrade import degrade
from acl_core.data.manifest import Plate, Rejected, read_card, read_plates, write_plates
from acl_core.data.sizes import check_sizes
from acl_core.errors import DataError
from acl_core.params import Plates
from tasks.stages._main import main
from tasks.stages._rejected import Rejections


def run(plates: Plates, *, scale: int, hr: Path, out: Path, rejected: Path) -> Mapping[str, float]:
    """Make (LR, HR) pairs by antialiased bicubic reduction.

    Args:
        plates: The share of plates that may be left out.
        scale: HR size over LR size.
        hr: Shards of HR plates.
        out: Folder of shards to make.
        rejected: CSV of the plates that this scale cannot keep whole, each with a reason.

    Raises:
        DataError: Too many plates were left out.
    """
    card = read_card(hr)
    rejections = Rejections(rejected, plates.max_rejected_share)
    bar = tqdm(read_plates(hr), desc=f"degrade x{scale}", unit="plate", total=sum(card.plates.values()), disable=None)
    card = write_plates(rejections.usable(_degraded(bar, scale)), replace(card, scale=scale), out)
    rejections.write()
    rejections.judge(sum(card.plates.values()))
    return {name: float(count) for name, count in card.plates.items()} | {"rejected": float(len(rejections))}


def _degraded(stream: Iterable[Plate], scale: int) -> Iterator[Plate | Rejected]:
    for plate in stream:
        try:
            yield check_sizes(degrade(plate, scale), scale)
        except DataError as error:
            yield Rejected(plate.name, str(error))


if __name__ == "__main__":
    main(run)
