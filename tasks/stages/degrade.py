"""DVC stage: LR pictures for one scale."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from acl_core.data.degrade import degrade as degraded
from acl_core.data.degrade import fit_to_real
from acl_core.data.manifest import Plate, Rejected, read_card, read_plates, write_plates
from acl_core.data.sizes import check_sizes
from acl_core.errors import DataError
from acl_core.params import Common
from acl_core.params_degrade import Degrade
from acl_core.params_plates import Plates
from tasks.stages._main import main
from tasks.stages._rejected import Rejections


def run(
    plates: Plates, degrade: Degrade, common: Common, *, scale: int, hr: Path, out: Path, rejected: Path
) -> Mapping[str, float]:
    """Make (LR, HR) pairs: LR by the recipe, or, where LR is real, HR resized to fit it.

    Args:
        plates: The share of plates that may be left out, and the largest HR picture of real pairs.
        degrade: How LR is made of HR; trainings find it in the card of the pairs.
        common: The seed.
        scale: HR size over LR size.
        hr: Shards of HR plates.
        out: Folder of shards to make.
        rejected: CSV of the plates that this scale cannot keep whole, each with a reason.

    Raises:
        DataError: Too many plates were left out, or all.
    """
    card = read_card(hr)
    card = replace(card, scale=scale, recipe=degrade.steps)

    def pair(plate: Plate) -> Plate:
        if card.aligned:
            return check_sizes(degraded(plate, scale, degrade.steps, common.seed), scale)
        return check_sizes(fit_to_real(plate, scale, plates.max_width_px, plates.max_height_px), scale)

    rejections = Rejections(rejected, plates.max_rejected_share)
    bar = tqdm(read_plates(hr), desc=f"degrade x{scale}", unit="plate", total=sum(card.plates.values()), disable=None)
    try:
        made = write_plates(rejections.usable(_pairs(bar, pair)), card, out)
    finally:
        rejections.write()
    rejections.judge(sum(made.plates.values()))
    return {name: float(count) for name, count in made.plates.items()} | {"rejected": float(len(rejections))}


def _pairs(stream: Iterable[Plate], pair: Callable[[Plate], Plate]) -> Iterator[Plate | Rejected]:
    for plate in stream:
        try:
            yield pair(plate)
        except DataError as error:
            yield Rejected(plate.name, str(error))


if __name__ == "__main__":
    main(run)
