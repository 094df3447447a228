"""The page over all tables: numbers, the paper's beside them, curves, plates, and what it comes to in words."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, select_autoescape

from acl_core.files import write_atomically
from acl_core.params import load_params
from acl_core.statistics.paired import Spread
from tasks.tables.cells import Plan
from tasks.tables.charts import over_parameter, trainings
from tasks.tables.collect import Evaluated, State, died_of, evaluated, reader_outcome, state_of, tidy
from tasks.tables.compare import Claim, claims, spreads, verdict
from tasks.tables.labels import metric_of, ours, p_value, theirs
from tasks.tables.matrix import Row, Table
from tasks.tables.pictures import columns_of, plates_of
from tasks.tables.published import Published, published
from tasks.workspace import ROOT, ROOT_NAME

_GAP = "gap_closed_map50"


def write_page(plan: Plan, *, pictures: bool | None = None) -> Path:
    """Write ``reports/tables.html``, ``.md`` and ``.json`` of the workspace from whatever cells are done.

    Workers that end a cell at the same time write one after the other, so the last one to look is the last to write.

    Args:
        plan: The matrix.
        pictures: Whether plates are shown; None for what the workspace's ``privacy.show_pictures`` says.

    Returns:
        The page.
    """
    allowed = load_params(plan.base / "params.yaml").privacy.show_pictures
    with plan.page_lock():
        return _write_files(plan, gather(plan, pictures=allowed and pictures is not False))


def _write_files(plan: Plan, content: dict[str, Any]) -> Path:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html"], default_for_string=False, default=False),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    reports = plan.base / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    for name, template in (("tables.html", "page.html"), ("tables.md", "page.md.j2")):
        _write(reports / name, environment.get_template(template).render(content))
    _write(reports / "tables.json", json.dumps(content["numbers"], ensure_ascii=False, indent=1) + "\n")
    return reports / "tables.html"


def gather(plan: Plan, *, pictures: bool) -> dict[str, Any]:
    """All that the page says, ready to be set."""
    plan = plan.remembering()
    frame, paper = tidy(plan), published()
    tested = {name: claims(plan, table) for name, table in plan.tables().items()}
    tables = {name: _table(plan, name, table, frame, tested[name], paper) for name, table in plan.tables().items()}
    states = {i.name: state_of(plan, i) for i in plan.instances()}
    done = [e for i in plan.instances() if (e := evaluated(plan, i)) is not None]
    scales = sorted({i.scale for i in plan.instances()})
    return {
        "title": f"The paper's tables, workspace {ROOT_NAME if plan.base == ROOT else plan.base.name}",
        "profile": plan.profile_name,
        "made": _made(done),
        "paper": paper,
        "tables": tables,
        "states": states,
        "n_done": sum(state is State.DONE for state in states.values()),
        "failures": {i.name: died for i in plan.instances() if (died := died_of(plan, i))},
        "curves": {scale: svg for scale in scales if (svg := trainings(plan, scale))},
        "show_pictures": pictures,
        "pictures": _pictures(plan) if pictures else [],
        "numbers": _numbers(plan, frame, tested),
    }


def _made(done: Sequence[Evaluated]) -> str:
    """Plates, commits and arithmetic of the cells, several of each where they differ."""
    if not done:
        return ""
    metas = [found.read("meta.json") for found in done]
    counts = sorted({meta["plates"] for meta in metas})
    plates = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    sources, commits = (sorted({str(meta[key]) for meta in metas}) for key in ("source", "commit"))
    precisions = sorted(set[str]().union(*(found.precisions() for found in done)))
    trained = f", trained in {' and '.join(precisions)}" if precisions else ""
    plural = "s" if len(commits) > 1 else ""
    return f"{plates} test plates a seed ({', '.join(sources)}), commit{plural} {', '.join(commits)}{trained}."


def _table(
    plan: Plan, name: str, table: Table, frame: pd.DataFrame, tested: list[Claim], paper: Published
) -> dict[str, Any]:
    means = spreads(frame, name)
    headings = [(m, metric_of(m).title, _is_printed(name, table, m, paper)) for m in table.columns]
    return {
        "title": table.title,
        "place": paper.tables[name].place if name in paper.tables else table.place,
        "text": table.text,
        "headings": headings,
        "rows": [_row(plan, name, table, key, row, means, headings, paper) for key, row in table.rows.items()],
        "claims": [_claim(table, claim) for claim in tested],
        "lead": table.rows[table.lead].title if table.lead else "",
        "chart": over_parameter(plan, name, table, frame),
        "verdict": verdict(name, table, frame, tested, paper),
    }


def _row(
    plan: Plan,
    name: str,
    table: Table,
    key: str,
    row: Row,
    means: Mapping[tuple[str, str], Spread],
    headings: list[tuple[str, str, bool]],
    paper: Published,
) -> dict[str, Any]:
    cells: list[str] = []
    for metric, _, printed in headings:
        cells.append(ours(metric, means.get((key, metric))))
        if printed:
            cells.append(theirs(metric, _printed(name, table, key, metric, paper)))
    seeds = max((s.n for (k, _), s in means.items() if k == key), default=0)
    return {"key": key, "title": row.title, "cells": cells, "seeds": seeds, "state": _state(plan, table, row)}


def _state(plan: Plan, table: Table, row: Row) -> str:
    """What there is to say of a row: that it was not run, is incomplete, or lacks its reader."""
    instances = list(plan.of(table, row))
    if not instances:
        return State.LEFT_OUT.value
    states = [state_of(plan, i) for i in instances]
    done = [e for i in instances if (e := evaluated(plan, i)) is not None]
    said = [row.note] if row.note else []
    if not done:
        said.append(next((s for s in states if s is not State.NOT_RUN), State.NOT_RUN).value)
    elif len(done) < len(instances):
        said.append(f"{len(done)} of {len(instances)} seeds")
    if row.reader is not None and done:
        said.append(_of_reader(done[0], row))
    return "; ".join(text for text in said if text)


def _of_reader(found: Evaluated, row: Row) -> str:
    outcome = reader_outcome(found, row)
    if not outcome:
        return State.NOT_RUN.value
    if "absent" in outcome:
        return str(outcome["absent"])
    n_unknown, n = len(outcome["unknown"]), outcome["classes"]
    known = f"scored on the characters it knows; it lacks {n_unknown} of the plates' {n} classes" if n_unknown else ""
    return "; ".join(text for text in (f"{len(outcome['plates'])} plates", known) if text)


def _claim(table: Table, claim: Claim) -> dict[str, Any]:
    d = claim.difference
    return {
        "against": table.rows[claim.row].title,
        "difference": f"{100 * d.value:+.1f} ({100 * d.low:+.1f} to {100 * d.high:+.1f})",
        "gained": d.gained,
        "lost": d.lost,
        "plates": d.n_plates,
        "seeds": d.n_seeds,
        "p": p_value(d.p),
        "corrected": p_value(claim.corrected_p),
        "verdict": claim.verdict,
    }


def _is_printed(name: str, table: Table, metric: str, paper: Published) -> bool:
    return any(_printed(name, table, row, metric, paper) is not None for row in table.rows)


def _printed(name: str, table: Table, row: str, metric: str, paper: Published) -> float | None:
    return paper.gap_closed(name, row, table.scale) if metric == _GAP else paper.value(name, row, metric)


def _pictures(plan: Plan) -> list[dict[str, Any]]:
    found = []
    for asked in plan.matrix.pictures.values():
        rows = [
            {
                "true": plate.true,
                "cells": [
                    {
                        "png": base64.b64encode(shown.png).decode() if shown.png else None,
                        "text": shown.text,
                        "note": shown.note,
                    }
                    for shown in plate.shown
                ],
            }
            for plate in plates_of(plan, asked)
        ]
        found.append({"title": asked.title, "place": asked.place, "columns": columns_of(asked), "rows": rows})
    return found


def _numbers(plan: Plan, frame: pd.DataFrame, tested: Mapping[str, list[Claim]]) -> dict[str, Any]:
    return {
        "profile": plan.profile_name,
        "rows": frame.to_dict("records"),
        "claims": {
            name: [{"row": c.row, **c.difference._asdict(), "holm": c.corrected_p} for c in found]
            for name, found in tested.items()
            if found
        },
        "cells": {i.name: state_of(plan, i).value for i in plan.instances()},
    }


def _write(path: Path, text: str) -> None:
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
