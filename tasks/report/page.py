"""From the evaluations of all scales to one self-contained HTML page."""

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from tasks.report.curves import curves_svg
from tasks.report.labels import GALLERY, GALLERY_TITLES, METHODS, METRICS, SUITE_TABLES, cell


def render(evaluations: dict[str, Path], curves: Path, title: str, *, show_plates: bool) -> str:
    """The page as text, with all pictures inside.

    Args:
        evaluations: Folder of each scale (``x4``), as the evaluate stage wrote it.
        curves: Folder of the training curves.
        title: Heading of the page.
        show_plates: Whether pictures and texts of plates stand there; without them the galleries are not read.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(["html", "j2"]), trim_blocks=True
    )
    template = environment.get_template("page.html.j2")
    scales = {name: _scale(folder, show_plates) for name, folder in evaluations.items()}
    return template.render(
        title=title,
        scales=scales,
        show_plates=show_plates,
        curves=curves_svg(curves, evaluations),
        metrics=METRICS,
        method_titles=METHODS,
        gallery_titles=GALLERY_TITLES,
        suite_tables=SUITE_TABLES,
    )


def _scale(folder: Path, show_plates: bool) -> dict[str, Any]:
    table = json.loads((folder / "table.json").read_text(encoding="utf-8"))
    return {
        "meta": json.loads((folder / "meta.json").read_text(encoding="utf-8")),
        "rows": {m: {k: cell(table[m], k) for k in METRICS} for m in METHODS if m in table},
        "suite": _suite(json.loads((folder / "suite.json").read_text(encoding="utf-8"))),
        "per_class": _per_class(json.loads((folder / "per_class.json").read_text(encoding="utf-8"))),
        "gallery": list(_gallery(folder / "gallery")) if show_plates else [],
    }


def _suite(suite: dict[str, Any]) -> dict[str, dict[str, dict[str, str]]]:
    """``{severity: {method: {metric: text}}}``, methods in their order."""
    return {
        severity: {m: {metric: cell(rows[m], metric) for metric in SUITE_TABLES} for m in METHODS if m in rows}
        for severity, rows in suite.items()
    }


def _per_class(rows: dict[str, dict[str, float | None]]) -> list[tuple[str, dict[str, float | None]]]:
    """Classes that occur in the test plates, the worst of Phase 2 first."""
    there = [(name, row) for name, row in rows.items() if row.get("phase2") is not None]
    return sorted(there, key=lambda item: (item[1]["phase2"] or 0.0, item[0]))


def _gallery(folder: Path) -> Iterable[dict[str, Any]]:
    for row, entry in enumerate(json.loads((folder / "gallery.json").read_text(encoding="utf-8"))):
        cells = []
        for column, method in GALLERY.items():
            data = base64.b64encode((folder / f"{row:02d}-{column}.png").read_bytes()).decode()
            cells.append({"column": column, "png": data, "text": entry["texts"][method] if method else None})
        yield {"name": entry["name"], "true": entry["true"], "cells": cells}
