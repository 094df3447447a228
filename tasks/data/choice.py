"""Which plates stand on a page: some of each side, type or class, or the least sharp."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
from tqdm import tqdm

from acl_core.data.manifest import Side, read_card, read_plates
from acl_core.statistics.appearance import appearance
from acl_core.statistics.labels import read_labels


class By(StrEnum):
    """What a page is grouped or ordered by."""

    SPLIT = "split"
    KIND = "kind"
    CLASS = "class"
    SHARPNESS = "sharpness"


@dataclass(frozen=True)
class Group:
    """Plates that stand together.

    Attributes:
        title: What they share.
        names: Of the plates, in the order in which they are shown.
        marked: A class whose boxes stand out, or None.
        notes: More to say of a plate, by its name.
    """

    title: str
    names: list[str]
    marked: str | None = None
    notes: dict[str, str] = field(default_factory=dict)


class Chooser:
    """Chooses a bounded number of plates of a set.

    Args:
        folder: The shards.
        n_plates: On the page at most.
        seed: Of what is drawn at random.
    """

    def __init__(self, folder: Path, n_plates: int, seed: int) -> None:
        self._folder = folder
        self._n = n_plates
        self._random = np.random.default_rng(seed)

    def groups(self, by: By) -> list[Group]:
        """The plates to show, group by group.

        Raises:
            DataError: The folder holds no plates.
        """
        match by:
            case By.SPLIT:
                return self._by_side()
            case By.KIND:
                return self._by_kind()
            case By.CLASS:
                return self._by_class()
            case By.SHARPNESS:
                return self._by_sharpness()

    def _by_side(self) -> list[Group]:
        names: dict[str, list[str]] = {side.value: [] for side in Side}
        for labels in read_labels(self._folder):
            names[labels.side.value].append(labels.name)
        return self._at_random(names)

    def _by_kind(self) -> list[Group]:
        names: dict[str, list[str]] = {}
        for labels in read_labels(self._folder):
            names.setdefault(labels.kind or "of no stated type", []).append(labels.name)
        return self._at_random(dict(sorted(names.items())))

    def _at_random(self, names: dict[str, list[str]]) -> list[Group]:
        """Equal shares of the page for all groups that have plates."""
        there = {title: found for title, found in names.items() if found}
        shares = _shares(self._n, len(there))
        return [
            Group(f"{title}: {share} of {len(found)} plates, drawn at random", self._some(found, share))
            for (title, found), share in zip(there.items(), map(min, shares, map(len, there.values())), strict=True)
            if share
        ]

    def _by_class(self) -> list[Group]:
        """The rarest class first; a plate stands with the rarest of its classes that has room for it."""
        names: dict[str, list[str]] = {name: [] for name in read_card(self._folder).classes}
        for labels in read_labels(self._folder):
            for name in dict.fromkeys(labels.classes):
                names[name].append(labels.name)
        ordered = sorted(names.items(), key=lambda item: len(item[1]))
        shares = iter(_shares(self._n, sum(1 for found in names.values() if found)))
        shown: set[str] = set()
        groups = []
        for name, found in ordered:
            share = next(shares) if found else 0
            fresh = [plate for plate in found if plate not in shown]
            chosen = self._some(fresh, min(share, len(fresh)))
            shown.update(chosen)
            groups.append(Group(f"{name}: on {len(found)} plates", chosen, marked=name))
        return groups

    def _by_sharpness(self) -> list[Group]:
        total = sum(read_card(self._folder).plates.values())
        bar = tqdm(read_plates(self._folder), desc="plates", unit="plate", total=total, disable=None)
        measured = ((appearance(plate.hr).sharpness, plate.name) for plate in bar)
        least = heapq.nsmallest(self._n, measured)
        notes = {name: f"sharpness {sharpness:.0f}" for sharpness, name in least}
        return [Group(f"the least sharp {len(least)} of {total} plates, the worst first", list(notes), notes=notes)]

    def _some(self, names: list[str], n: int) -> list[str]:
        chosen: Iterable[int] = sorted(self._random.choice(len(names), n, replace=False).tolist()) if n else []
        return [names[i] for i in chosen]


def _shares(total: int, n_groups: int) -> list[int]:
    """``total`` in parts that differ by one at most, the larger ones first."""
    return [total // n_groups + (i < total % n_groups) for i in range(n_groups)] if n_groups else []
