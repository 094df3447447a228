"""DVC stage: the numbers of all scales in one file, and the page to look at."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acl_core.files import write_atomically
from acl_core.params import Privacy
from tasks.report.page import render
from tasks.stages._main import main

log = logging.getLogger(__name__)


def run(
    scales: list[int], privacy: Privacy, *, evaluations: Path, curves: Path, metrics: Path, suite: Path, page: Path
) -> Mapping[str, float]:
    """Gather what the evaluate stages found.

    Args:
        scales: Scales of this workspace; folders of others are left alone.
        privacy: Whether the page shows plates.
        evaluations: Holds a folder a scale (``x4``).
        curves: Training curves as CSV.
        metrics: JSON to write: ``{"x4": {method: {metric: {"value", "low", "high"}}}, "meta": {...}}``.
        suite: JSON to write, of the named severities: ``{"x4": {severity: {method: {metric: ...}}}, "meta": {...}}``.
        page: HTML to write.
    """
    folders = {f"x{scale}": evaluations / f"x{scale}" for scale in scales}
    tables: dict[str, Any] = {name: _read(folder / "table.json") for name, folder in folders.items()}
    metas = {name: _read(folder / "meta.json") for name, folder in folders.items()}
    first = next(iter(metas.values()))
    shared = {key: first[key] for key in ("source", "plates", "split", "seed", "commit", "data_sha256")}
    _write_json(metrics, tables | {"meta": shared | {"scales": metas}})
    suites: dict[str, Any] = {name: _read(folder / "suite.json") for name, folder in folders.items()}
    _write_json(suite, suites | {"meta": shared | {"plates": first["suite_plates"]}})
    title = f"Plates read at low resolution: {first['source']}"
    _write(page, render(folders, curves, title, show_plates=privacy.show_pictures))
    log.info("open %s", page.resolve())
    return {f"{name}.{m}.plates_read": t[m]["plates_read"]["value"] for name, t in tables.items() for m in t}


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _write_json(path: Path, value: object) -> None:
    _write(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    main(run, attached=("metrics", "page"))
