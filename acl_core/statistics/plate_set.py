"""What a set of plates consists of: sides, sizes, classes and looks. Plates are seen once, one at a time."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from acl_core.data.manifest import DatasetCard, Plate, Side
from acl_core.statistics.appearance import Appearance, appearance

MEASURES = ("width_px", "height_px", "characters", *Appearance._fields)
QUANTILES = (0, 0.05, 0.5, 0.95, 1)


@dataclass(frozen=True)
class SideStatistics:
    """One side of the split.

    Attributes:
        plates: Their number.
        strings: Number of different plate strings.
        quantiles: Each measure's values at :data:`QUANTILES`; empty for a side without plates.
        characters: Number of characters of each class, in the order of the class list.
    """

    plates: int
    strings: int
    quantiles: dict[str, tuple[float, ...]]
    characters: tuple[int, ...]


@dataclass(frozen=True)
class SetStatistics:
    """A set of plates.

    Attributes:
        card: The set's own card.
        sides: Each side, those without plates too.
    """

    card: DatasetCard
    sides: dict[Side, SideStatistics]

    def characters(self, name: str) -> dict[Side, int]:
        """How often a class occurs on each side."""
        index = self.card.classes.index(name)
        return {side: found.characters[index] for side, found in self.sides.items()}

    def cannot_be_learnt(self) -> list[str]:
        """Classes that stand on test plates and on no training plate, in the order of the class list."""
        counts = {name: self.characters(name) for name in self.card.classes}
        return [name for name, count in counts.items() if count[Side.TEST] and not count[Side.TRAIN]]


def set_statistics(card: DatasetCard, plates: Iterable[Plate]) -> SetStatistics:
    """Gather a set's statistics.

    Args:
        card: Of the set; its class list gives the classes their order.
        plates: Any number of plates, as a stream; six numbers and the text are kept of each.
    """
    gathered = {side: _Gathered(len(card.classes)) for side in Side}
    for plate in plates:
        gathered[plate.split].add(plate)
    return SetStatistics(card, {side: found.finish() for side, found in gathered.items()})


class _Gathered:
    """The numbers of one side so far."""

    def __init__(self, n_classes: int) -> None:
        self._values = {measure: array("d") for measure in MEASURES}
        self._strings: set[str] = set()
        self._characters = np.zeros(n_classes, dtype=np.int64)

    def add(self, plate: Plate) -> None:
        height, width = plate.hr.shape[:2]
        row = (width, height, len(plate.classes), *appearance(plate.hr))
        for values, value in zip(self._values.values(), row, strict=True):
            values.append(value)
        self._strings.add(plate.text)
        self._characters += np.bincount(plate.classes, minlength=len(self._characters))

    def finish(self) -> SideStatistics:
        n_plates = len(self._values[MEASURES[0]])
        quantiles = {m: tuple(np.quantile(v, QUANTILES).tolist()) for m, v in self._values.items()} if n_plates else {}
        return SideStatistics(n_plates, len(self._strings), quantiles, tuple(self._characters.tolist()))
