"""What differs between two versions of a set of plates, in plates, classes and sides."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from acl_core.data.manifest import Side
from acl_core.statistics.labels import Labels


@dataclass
class Contents:
    """What a version holds, counted while it streams by.

    Attributes:
        plates: On each side.
        characters: Of each class.
    """

    plates: Counter[Side] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)

    def add(self, labels: Labels) -> None:
        """Count a plate."""
        self.plates[labels.side] += 1
        self.characters.update(labels.classes)


@dataclass
class Changes:
    """The way from one version to another. A plate is known by its name; pairs are (before, now).

    Attributes:
        before: Contents of the older version.
        now: Contents of the newer one.
        added: Plates with a name and a picture that were not there.
        removed: Plates whose name and picture are gone.
        renamed: Another name for the same picture.
        relabelled: Another text, other boxes or other classes.
        redrawn: Another picture under the same name.
        moved: On another side of the split.
        n_unchanged: Plates with nothing of all that.
    """

    before: Contents = field(default_factory=Contents)
    now: Contents = field(default_factory=Contents)
    added: list[Labels] = field(default_factory=list)
    removed: list[Labels] = field(default_factory=list)
    renamed: list[tuple[Labels, Labels]] = field(default_factory=list)
    relabelled: list[tuple[Labels, Labels]] = field(default_factory=list)
    redrawn: list[tuple[Labels, Labels]] = field(default_factory=list)
    moved: list[tuple[Labels, Labels]] = field(default_factory=list)
    n_unchanged: int = 0

    def any(self) -> bool:
        """Whether a plate differs."""
        pairs = self.renamed or self.relabelled or self.redrawn or self.moved
        return bool(self.added or self.removed or pairs)


def compare(before: Iterable[Labels], now: Iterable[Labels]) -> Changes:
    """Hold two versions against each other.

    Args:
        before: The older version, as a stream; its labels are held at once, about half a kilobyte a plate.
        now: The newer one, as a stream.
    """
    changes = Changes()
    old: dict[str, Labels] = {}
    for labels in before:
        changes.before.add(labels)
        old[labels.name] = labels
    for labels in now:
        changes.now.add(labels)
        known = old.pop(labels.name, None)
        if known is None:
            changes.added.append(labels)
        else:
            _same_name(known, labels, changes)
    changes.removed = list(old.values())
    _find_renamed(changes)
    return changes


def _same_name(before: Labels, now: Labels, changes: Changes) -> None:
    if before == now:
        changes.n_unchanged += 1
        return
    pair = (before, now)
    if (before.text, before.classes, before.boxes) != (now.text, now.classes, now.boxes):
        changes.relabelled.append(pair)
    if _picture(before) != _picture(now):
        changes.redrawn.append(pair)
    if before.side is not now.side:
        changes.moved.append(pair)


def _find_renamed(changes: Changes) -> None:
    """Pair what went with what came by their pictures; such a pair may differ in labels and side as well."""
    gone: dict[tuple[str, tuple[int, int]], list[Labels]] = {}
    for labels in reversed(changes.removed):
        gone.setdefault(_picture(labels), []).append(labels)
    added = []
    for labels in changes.added:
        same = gone.get(_picture(labels))
        if same:
            changes.renamed.append((same.pop(), labels))
        else:
            added.append(labels)
    taken = {before.name for before, _ in changes.renamed}
    changes.added = added
    changes.removed = [labels for labels in changes.removed if labels.name not in taken]
    for before, now in changes.renamed:
        if (before.text, before.classes, before.boxes) != (now.text, now.classes, now.boxes):
            changes.relabelled.append((before, now))
        if before.side is not now.side:
            changes.moved.append((before, now))


def _picture(labels: Labels) -> tuple[str, tuple[int, int]]:
    return labels.picture, labels.size
