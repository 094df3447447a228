"""What `acl score` prints."""

from collections.abc import Mapping
from typing import cast

from tasks.report.labels import METHODS, METRICS, cell
from tasks.score import AS_IT_IS, Scored

_COLUMNS = ("plates_read", "cer")
_SHOWN = 10
_Numbers = Mapping[str, Mapping[str, Mapping[str, float | None]]]


def scored_markdown(scored: Scored) -> str:
    """A table for each group of pictures, then what could not be used and what cannot be read."""
    lines: list[str] = []
    for group, table in scored.tables.items():
        how = "read as they are" if group == AS_IT_IS else f"too small for that, enlarged {group}"
        lines += [f"{scored.plates[group]} pictures, {how}", ""]
        lines.append(f"| method | {' | '.join(METRICS[metric][0] for metric in _COLUMNS)} |")
        lines.append("|---" * (len(_COLUMNS) + 1) + "|")
        names = {AS_IT_IS: "Recognizer of HR plates"} if group == AS_IT_IS else METHODS
        lines += [
            f"| {names[method]} | {' | '.join(cell(row, metric) for metric in _COLUMNS)} |"
            for method, row in cast(_Numbers, table).items()
        ]
        lines.append("")
    if scored.unknown:
        letters = ", ".join(f"{letter!r} ({n} plates)" for letter, n in list(scored.unknown.items())[:_SHOWN])
        lines.append(f"No class stands for {letters}: these count as mistakes.")
    if scored.rejected:
        lines.append(f"{len(scored.rejected)} rows or pictures could not be used:")
        lines += [f"- {item.file}: {item.reason}" for item in scored.rejected[:_SHOWN]]
        if len(scored.rejected) > _SHOWN:
            lines.append("- ...")
    return "\n".join(lines).rstrip()
