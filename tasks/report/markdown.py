"""The results as Markdown tables, for a terminal and for the README."""

import json
from pathlib import Path
from typing import Any

from acl_core.errors import DataError
from tasks.report.labels import METHODS, METRICS, SUITE_TABLES, cell

COLUMNS = ("plates_read", "gap_closed_plates_read", "map50", "cer", "psnr_db", "ssim")


def markdown(file: Path) -> str:
    """One table a scale of a results file, as the report stage writes it.

    Raises:
        DataError: The file is missing or is no results file.
    """
    results, meta = _read(file)
    lines: list[str] = []
    for name in (key for key in results if key != "meta"):
        rows = {method: row for method in METHODS if (row := results[name].get(method))}
        lines += [f"{name}, {meta['plates']} test plates, {meta['source']}, seed {meta['seed']}", ""]
        lines.append(f"| method | {' | '.join(METRICS[metric][0] for metric in COLUMNS)} |")
        lines.append("|---" * (len(COLUMNS) + 1) + "|")
        lines += [
            f"| {METHODS[m]} | {' | '.join(cell(row, metric) for metric in COLUMNS)} |" for m, row in rows.items()
        ]
        lines.append("")
    return "\n".join(lines)


def suite_markdown(file: Path) -> str:
    """Two tables a scale of a suite file: plates read, and mAP50, of each method under each severity.

    Raises:
        DataError: The file is missing or is no suite file.
    """
    results, meta = _read(file)
    lines: list[str] = []
    for name, suite in ((key, value) for key, value in results.items() if key != "meta" and value):
        for metric in SUITE_TABLES:
            lines += [f"{name}, {METRICS[metric][0]}, by severity; {meta['plates']} test plates", ""]
            lines.append(f"| method | {' | '.join(suite)} |")
            lines.append("|---" * (len(suite) + 1) + "|")
            for method in (m for m in METHODS if all(m in rows for rows in suite.values())):
                cells = (cell(rows[method], metric) for rows in suite.values())
                lines.append(f"| {METHODS[method]} | {' | '.join(cells)} |")
            lines.append("")
    return "\n".join(lines)


def _read(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        results = json.loads(file.read_text(encoding="utf-8"))
        return results, results["meta"]
    except FileNotFoundError as error:
        raise DataError(f"{file}: not found. `acl run` makes it.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file}: no results file ({error}). `acl run` makes one.") from error
