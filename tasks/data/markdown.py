"""Numbers of plates and their changes as Markdown, for a terminal and for notes."""

from collections.abc import Sequence

from acl_core.data.manifest import DatasetCard, Side
from acl_core.statistics.changes import Changes
from acl_core.statistics.labels import Labels
from acl_core.statistics.plate_set import MEASURES, SetStatistics
from acl_core.statistics.rejections import Kind
from tasks.data.printable import printable

_TITLES = {
    "width_px": "width, px",
    "height_px": "height, px",
    "characters": "characters a plate",
    "brightness": "brightness, share of full scale",
    "contrast": "contrast, share of full scale",
    "sharpness": "sharpness, variance of the Laplacian",
}
_DIGITS = {"brightness": 2, "contrast": 2}


def statistics_table(found: SetStatistics, rejected: Sequence[Kind], invalid: Sequence[Kind] | None) -> str:
    """Sides, measures, classes, rejected files and rejected plates (None: not checked yet), a table each."""
    card = found.card
    lines = [f"{_plain(card.source)}, {len(card.classes)} classes, read {card.direction}", ""]
    sides = [[side.value, s.plates, s.strings, sum(s.characters)] for side, s in found.sides.items()]
    lines += _table(["side", "plates", "plate strings", "characters"], sides)
    measures = [
        [_TITLES[measure], side.value, *(f"{value:.{_DIGITS.get(measure, 0)}f}" for value in s.quantiles[measure])]
        for measure in MEASURES
        for side, s in found.sides.items()
        if s.plates
    ]
    lines += _table(["measure", "side", "lowest", "5 %", "median", "95 %", "highest"], measures)
    lacking = set(found.cannot_be_learnt())
    classes = [
        [name, *found.characters(name).values(), "in test, not in train" if name in lacking else ""]
        for name in card.classes
    ]
    lines += _table(["class", *(side.value for side in Side), "note"], classes)
    lines += _rejections("files", rejected)
    lines += (
        ["plates are not checked yet: `dvc repro validate`", ""] if invalid is None else _rejections("plates", invalid)
    )
    return "\n".join(lines[:-1])


def _rejections(what: str, kinds: Sequence[Kind]) -> list[str]:
    lines = [f"rejected {what}: {sum(kind.files for kind in kinds)}", ""]
    if kinds:
        lines += _table(["reason", what, "for example"], [list(kind) for kind in kinds])
    return lines


def changes_table(changes: Changes, before: DatasetCard, now: DatasetCard, revision: str, listed: int) -> str:
    """What changed between two versions.

    Args:
        changes: In plates.
        before: Card of the older version.
        now: Card of the newer one.
        revision: How the older one is called.
        listed: Plates that are named at most, of each kind of change.
    """
    lines = [f"plates of {_plain(revision)}, and now: {changes.n_unchanged} unchanged", ""]
    lines += _card_changes(before, now)
    lines += _table(["side", "before", "now", "added", "removed", "moved here"], _side_rows(changes))
    names = sorted(
        name
        for name in changes.before.characters.keys() | changes.now.characters.keys()
        if changes.before.characters[name] != changes.now.characters[name]
    )
    counts = [(name, changes.before.characters[name], changes.now.characters[name]) for name in names]
    if counts:
        rows = [[name, old, new, f"{new - old:+d}"] for name, old, new in counts]
        lines += _table(["class", "before", "now", "change"], rows)
    for title, items in _listed(changes).items():
        if items:
            lines += [f"{title}: {len(items)}", "", *(f"- {item}" for item in items[:listed])]
            lines += [f"- and {len(items) - listed} more"] if len(items) > listed else []
            lines.append("")
    return "\n".join(lines[:-1])


def _card_changes(before: DatasetCard, now: DatasetCard) -> list[str]:
    lines = []
    if gone := [name for name in before.classes if name not in now.classes]:
        lines.append(f"classes removed: {', '.join(map(_plain, gone))}")
    if new := [name for name in now.classes if name not in before.classes]:
        lines.append(f"classes added: {', '.join(map(_plain, new))}")
    if not gone and not new and before.classes != now.classes:
        lines.append("the classes are the same in another order")
    if before.direction != now.direction:
        lines.append(f"reading direction: {before.direction}, now {now.direction}")
    if before.source != now.source:
        lines.append(f"source: {_plain(before.source)}, now {_plain(now.source)}")
    return [*lines, ""] if lines else []


def _side_rows(changes: Changes) -> list[list[object]]:
    return [
        [
            side.value,
            changes.before.plates[side],
            changes.now.plates[side],
            sum(labels.side is side for labels in changes.added),
            sum(labels.side is side for labels in changes.removed),
            sum(now.side is side for _, now in changes.moved),
        ]
        for side in Side
    ]


def _listed(changes: Changes) -> dict[str, list[str]]:
    """Each kind of change with one phrase a plate."""
    return {
        "added": [_said(labels) for labels in changes.added],
        "removed": [_said(labels) for labels in changes.removed],
        "renamed": [f"{_plain(before.name)} to {_plain(now.name)}" for before, now in changes.renamed],
        "other labels": [f"{_plain(now.name)}: {_relabelled(before, now)}" for before, now in changes.relabelled],
        "another picture": [
            _plain(now.name) + (f", {_size(before)} to {_size(now)}" if before.size != now.size else "")
            for before, now in changes.redrawn
        ],
        "moved to another side": [f"{_plain(now.name)}: {before.side} to {now.side}" for before, now in changes.moved],
    }


def _said(labels: Labels) -> str:
    return f"{_plain(labels.name)}: {_plain(labels.text)}, {labels.side}"


def _relabelled(before: Labels, now: Labels) -> str:
    if (before.text, before.classes) == (now.text, now.classes):
        return f"{_plain(now.text)}, other boxes"
    return f"{_plain(before.text)} to {_plain(now.text)}"


def _size(labels: Labels) -> str:
    return f"{labels.size[0]} x {labels.size[1]} px"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return [*lines, *(f"| {' | '.join(_plain(str(cell)) for cell in row)} |" for row in rows), ""]


def _plain(text: str) -> str:
    """Text that neither ends a cell nor steers a terminal or a browser, whatever a file or class is called."""
    return printable(text).replace("|", "\\|").replace("<", "&lt;")
