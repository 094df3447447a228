"""How methods and metrics are called where people read them, in which order, and how numbers look."""

from collections.abc import Mapping

METHODS = {
    "bicubic": "Bicubic",
    "bicubic_phase2": "Bicubic Phase 2 (no SR: the control)",
    "sr": "SR alone",
    "phase1": "Phase 1",
    "phase2": "Phase 2",
    "rounds": "Further rounds, or both at once",
    "hr": "HR (ceiling)",
}

# name -> (heading, factor, digits)
METRICS = {
    "plates_read": ("plates read without a mistake, %", 100, 1),
    "gap_closed_plates_read": ("gap closed, plates, %", 100, 1),
    "map50": ("mAP50, %", 100, 1),
    "gap_closed_map50": ("gap closed, mAP50, %", 100, 1),
    "map50_95": ("mAP50-95, %", 100, 1),
    "cer": ("character error rate, %", 100, 2),
    "psnr_db": ("PSNR, dB", 1, 2),
    "psnr_y_db": ("PSNR of Y, dB", 1, 2),
    "ssim": ("SSIM", 1, 3),
}

# Tables of the suite, one each.
SUITE_TABLES = ("plates_read", "map50")

# Pictures of the gallery, and the method that read each of them; LR is shown as it is.
GALLERY = {"lr": None, "bicubic": "bicubic", "sr": "sr", "phase2": "phase2", "hr": "hr"}
GALLERY_TITLES = {"lr": "LR", "bicubic": "Bicubic", "sr": "SR alone", "phase2": "Phase 2", "hr": "HR"}


def cell(row: Mapping[str, Mapping[str, float | None]], metric: str) -> str:
    """``83.5 (80.1 to 86.9)``, or a dash where there is nothing to measure."""
    value, low, high = (row[metric][end] for end in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return "-"
    _, factor, digits = METRICS[metric]
    return f"{value * factor:.{digits}f} ({low * factor:.{digits}f} to {high * factor:.{digits}f})"
