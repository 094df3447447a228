"""A plate as plain values, the same for the command line, for MLflow and for a service."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from acl_core.reader.plate_text import PlateText

_DIGITS = 4


def row_of(plate: PlateText) -> dict[str, Any]:
    """The columns of a plate that was read; ``sr_png`` is base64."""
    return {
        "text": plate.text,
        "confidence": round(plate.confidence, _DIGITS),
        "characters": [
            {"text": c.text, "confidence": round(c.confidence, _DIGITS), "box": list(c.box)} for c in plate.characters
        ],
        "width": plate.width,
        "height": plate.height,
        "scale": plate.scale,
        "sr_png": None if plate.sr is None else _base64_png(plate.sr),
        "error": None,
    }


def row_of_error(reason: str) -> dict[str, Any]:
    """The same columns for a picture that could not be read."""
    return {
        "text": "",
        "confidence": 0.0,
        "characters": [],
        "width": 0,
        "height": 0,
        "scale": 0,
        "sr_png": None,
        "error": reason,
    }


def _base64_png(image: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")
