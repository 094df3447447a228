"""Training curves as one SVG."""

import io
from collections.abc import Collection
from pathlib import Path

import pandas as pd

_PANELS = {
    "loss_sr": "Loss_SR",
    "psnr_db": "PSNR, dB",
    "ssim": "SSIM",
    "loss_char": "Loss_char",
    "map50": "mAP50",
    "plates_read": "plates read",
}


def curves_svg(folder: Path, scales: Collection[str]) -> str:
    """One panel a quantity, one line a stage, over epochs.

    Args:
        folder: CSV files that :func:`acl_core.train.tracker.write_curves` wrote; the name of a file is that of a stage,
            behind its scale (``x4-phase1.csv``) where it has one.
        scales: Whose curves to show (``x4``), beside those of stages without a scale.

    Returns:
        An ``<svg>`` element; empty where no stage has a curve.
    """
    from matplotlib import rc_context  # 1 s
    from matplotlib.figure import Figure

    histories = {path.stem: pd.read_csv(path) for path in sorted(folder.glob("*.csv")) if _is_of(path.stem, scales)}
    histories = {name: history for name, history in histories.items() if len(history)}
    if not histories:
        return ""
    figure = Figure(figsize=(15, 7), layout="constrained")
    for axes, (column, title) in zip(figure.subplots(2, 3).flat, _PANELS.items(), strict=True):
        for name, history in histories.items():
            if column in history and history[column].notna().any():
                points = history.dropna(subset=[column])
                axes.plot(points["epoch"], points[column], marker=".", label=name)
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize=8)
    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": "curves"}):  # the same curves give the same bytes
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _is_of(name: str, scales: Collection[str]) -> bool:
    scale, dash, _ = name.partition("-")
    return not dash or scale in scales
