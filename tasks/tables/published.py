"""What the paper says, as data."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from acl_core.section import Section

_FILE = Path(__file__).with_name("published.json")


class Printed(Section):
    """A table of the paper.

    Attributes:
        place: Where it stands, and what to know of it.
        rows: ``{row: {metric: value}}`` in the paper's units.
    """

    place: str
    rows: dict[str, dict[str, float]]


class Ends(Section):
    """The ends of the gap that a method is to close: mAP in % of the recognizer of HR plates."""

    bicubic: float
    hr: float


class Published(Section):
    """All of the paper's numbers.

    Attributes:
        source: To cite.
        plates: In the paper's test set, which is private.
        units: Of the metrics.
        ends: By scale.
        tables: By the names of ``tables.yaml``.
    """

    source: str
    plates: int
    units: dict[str, str]
    ends: dict[int, Ends]
    tables: dict[str, Printed]

    def value(self, table: str, row: str, metric: str) -> float | None:
        """A printed number in the paper's unit; None where it has none."""
        printed = self.tables.get(table)
        return None if printed is None else printed.rows.get(row, {}).get(metric)

    def gap_closed(self, table: str, row: str, scale: int) -> float | None:
        """Share of the way from bicubic to HR in mAP, in %; ours, from the paper's numbers."""
        value, ends = self.value(table, row, "map50"), self.ends.get(scale)
        return None if value is None or ends is None else 100 * (value - ends.bicubic) / (ends.hr - ends.bicubic)


@cache
def published() -> Published:
    """The paper's numbers."""
    raw: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return Published.model_validate(raw)
