"""Curves of the tables as SVG: metrics over a parameter, and trainings over their epochs."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from tasks.tables.cells import Plan
from tasks.tables.collect import evaluated
from tasks.tables.labels import metric_of
from tasks.tables.matrix import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH = 11
_TRAININGS = {
    "pretrain_recognizer": "plates_read",
    "pretrain_sr": "psnr_db",
    "phase1": "plates_read",
    "phase2": "plates_read",
    "bicubic_phase2": "plates_read",  # the controls' own
    "rounds": "plates_read",
}
_PANELS_A_ROW = 3


def over_parameter(plan: Plan, name: str, table: Table, frame: pd.DataFrame) -> str:
    """Each metric of a table over the parameter that its rows differ in, a point a seed; empty without points."""
    if table.over is None:
        return ""
    at = {row: value for row in table.rows if (value := _value_of(plan, table, row)) is not None}
    own = frame[(frame["table"] == name) & frame["row"].isin(list(at))]
    metrics = [metric for metric in table.columns if (own["metric"] == metric).any()]
    if not metrics:
        return ""
    figure = _figure(1, len(metrics))
    for axes, metric in zip(figure.subplots(1, len(metrics), squeeze=False)[0], metrics, strict=True):
        shown = metric_of(metric)
        points = own[own["metric"] == metric].assign(x=lambda f: f["row"].map(at)).sort_values("x")
        points["value"] *= shown.factor
        axes.scatter(points["x"], points["value"], s=16, alpha=0.5)
        means = points.groupby("x")["value"].mean()
        axes.plot(means.index, means.to_numpy())
        axes.set_xscale("symlog", linthresh=min([x for x in at.values() if x > 0], default=1))
        axes.set_xlabel(table.over)
        axes.set_title(shown.title, fontsize=9)
        axes.grid(alpha=0.3)
    return _svg(figure)


def trainings(plan: Plan, scale: int) -> str:
    """Validation over epochs of every cell at a scale under the first seed: a panel a training; empty without any."""
    instances = [i for i in plan.instances() if i.scale == scale and i.seed == plan.profile.seeds[0]]
    found = [(i.cell, e) for i in instances if (e := evaluated(plan, i)) is not None]
    curves: Mapping[str, Sequence[tuple[str, pd.DataFrame]]] = {
        stage: _unlike(
            [(cell, h.dropna(subset=[y])) for cell, e in found if (h := e.curve(stage)) is not None and y in h]
        )
        for stage, y in _TRAININGS.items()
    }
    if not any(curves.values()):
        return ""
    shape = (-(-len(curves) // _PANELS_A_ROW), _PANELS_A_ROW)
    figure = _figure(*shape)
    for axes, (stage, lines) in zip(figure.subplots(*shape).flat, curves.items(), strict=True):
        y = _TRAININGS[stage]
        shown = metric_of(y)
        for cell, history in lines:
            axes.plot(history["epoch"], history[y] * shown.factor, marker=".", label=cell)
        axes.set_title(f"{stage}: {shown.title}", fontsize=9)
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        if lines:
            axes.legend(fontsize=6)
    return _svg(figure)


def _unlike(lines: Sequence[tuple[str, pd.DataFrame]]) -> list[tuple[str, pd.DataFrame]]:
    """The first of those that are the same: cells share trainings."""
    return [line for i, line in enumerate(lines) if not any(line[1].equals(other) for _, other in lines[:i])]


def _value_of(plan: Plan, table: Table, row: str) -> float | None:
    """The parameter that a table is drawn over, of one row."""
    instance = next(iter(plan.of(table, table.rows[row])), None)
    if instance is None or table.over is None:
        return None
    section, field = table.over.split(".")
    value = plan.parameters(instance).get(section, {}).get(field)
    return float(value) if isinstance(value, int | float) else None


def _figure(rows: int, columns: int) -> "Figure":
    from matplotlib.figure import Figure  # 1 s

    return Figure(figsize=(_WIDTH, 3.4 * rows if columns > 1 else 4), layout="constrained")


def _svg(figure: "Figure") -> str:
    from matplotlib import rc_context

    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": "tables"}):  # the same curves give the same bytes
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
