"""What ``acl export`` does, step by step."""

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from acl_core.data.manifest import Side, read_card, read_plates
from acl_core.errors import DataError
from acl_core.evaluate.method_names import MethodName
from acl_core.export.candidates import PlateCandidates
from acl_core.export.onnx_model import Facts, build_model
from acl_core.params import Params
from tasks.export.trained import Trained, load_trained
from tasks.outs import stage_out
from tasks.provenance import git_commit

if TYPE_CHECKING:
    import onnx


def export_model(folder: Path, params: Params, scale: int, method: MethodName) -> "onnx.ModelProto":
    """The ONNX model of a method of a workspace; the errors are those of :func:`load_trained`."""
    trained = load_trained(folder, params, scale, method)
    candidates = PlateCandidates(trained.enlarger, trained.recognizer, params.sr.bucket_px)
    direction = params.plates.direction
    return build_model(
        candidates, Facts(trained.classes, scale, trained.rule, direction, method.value, _source(trained))
    )


def calibration_plates(folder: Path, scale: int, n_plates: int) -> Iterator[np.ndarray]:
    """LR plates (h, w, 3) uint8 RGB of the validation side, the first of them.

    Raises:
        DataError: The workspace has none.
    """
    pairs = stage_out(folder, "degrade", scale)
    if not read_card(pairs).plates.get(Side.VALIDATION.value):
        raise DataError(f"{pairs}: no validation plates to calibrate with. Bring more plates or change plates.split.")
    found = (plate.lr for plate in read_plates(pairs, Side.VALIDATION) if plate.lr is not None)
    return islice(found, n_plates)


def _source(trained: Trained) -> dict[str, str]:
    hashes = {f"{what}_sha256": hashlib.sha256(path.read_bytes()).hexdigest() for what, path in trained.files.items()}
    return hashes | {"commit": git_commit()}
