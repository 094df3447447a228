"""Networks from parameters and from files: the one place that knows which class answers to which name."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from acl_core.device import Compute
from acl_core.errors import WeightsError
from acl_core.models.attention import build_dat, build_hat, build_swinir
from acl_core.models.dbpn import Dbpn
from acl_core.models.drn import Drn
from acl_core.models.enlarger import Enlarger, Identity
from acl_core.models.mzsr import Mzsr
from acl_core.models.paper_recognizer import PaperRecognizer, fit_anchors
from acl_core.models.recognizer import Recognizer
from acl_core.models.ultralytics_recognizer import UltralyticsRecognizer
from acl_core.models.weights import load_weights, read_card
from acl_core.params import Architecture, RecognizerParams
from acl_core.params_sr import Dat, Hat, Sr, SrArchitecture, Swinir
from acl_core.params_sr import Drn as DrnSizes
from acl_core.params_sr import Mzsr as MzsrSizes


def build_sr(scale: int, params: Sr) -> Enlarger:  # noqa: PLR0911 - one return a network
    """A super-resolution network with fresh weights.

    Raises:
        ParamsError: It has no such scale or sizes, or needs a library that is not installed.
    """
    match params:
        case Sr(architecture=SrArchitecture.SWINIR, swinir=Swinir() as sizes):
            return build_swinir(scale, sizes, params.skip)
        case Sr(architecture=SrArchitecture.HAT, hat=Hat() as sizes):
            return build_hat(scale, sizes, params.skip)
        case Sr(architecture=SrArchitecture.DAT, dat=Dat() as sizes):
            return build_dat(scale, sizes, params.skip)
        case Sr(architecture=SrArchitecture.DRN, drn=DrnSizes() as sizes):
            return Drn(scale, sizes.blocks, sizes.features, params.skip)
        case Sr(architecture=SrArchitecture.MZSR, mzsr=MzsrSizes() as sizes):
            return Mzsr(scale, sizes.layers, sizes.channels, sizes.steps, sizes.step_size)
        case Sr(architecture=SrArchitecture.IDENTITY):
            return Identity()
        case _:
            return Dbpn(scale, params.blocks, params.channels, params.features, params.skip)


def build_recognizer(
    params: RecognizerParams, n_classes: int, *, boxes: np.ndarray | None = None, seed: int = 0
) -> Recognizer:
    """A recognizer with fresh weights.

    Args:
        params: Architecture and input size.
        n_classes: Number of character classes.
        boxes: (n, 4) training boxes as shares of the plate, for a network with anchors; without them the anchors are
            those of the weights that are loaded next.
        seed: Of the anchors' k-means.
    """
    match params.architecture:
        case Architecture.PAPER:
            anchors = None if boxes is None else fit_anchors(boxes, seed)
            return PaperRecognizer(n_classes, params.input_px, anchors)
        case Architecture.YOLOV5N | Architecture.YOLOV5S | Architecture.YOLO11N:
            return UltralyticsRecognizer(params.architecture, n_classes, params.input_px)


def load_sr(scale: int, params: Sr, path: Path, compute: Compute) -> Enlarger:
    """A trained super-resolution network, on its device.

    Raises:
        WeightsError: No such file, or it was made for another network.
    """
    sr = build_sr(scale, params)
    load_weights(sr, path)
    compute.place(sr)
    return sr


def load_recognizer(params: RecognizerParams, classes: Sequence[str], path: Path, compute: Compute) -> Recognizer:
    """A trained recognizer, on its device.

    Raises:
        WeightsError: No such file, or it was made for another network or other classes.
    """
    trained_for = read_card(path).get("classes", list(classes))
    if trained_for != list(classes):
        raise WeightsError(f"{path}: trained for other classes than the plates have. Train the recognizer again.")
    recognizer = build_recognizer(params, len(classes))
    load_weights(recognizer, path)
    compute.place(recognizer)
    return recognizer
