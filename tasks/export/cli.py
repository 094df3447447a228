"""The command ``acl export``."""

from pathlib import Path
from typing import Annotated

import typer

from acl_core.evaluate.method_names import MethodName
from acl_core.params import load_params
from tasks.workspace import find_workspace


def export(
    workspace: Annotated[
        str, typer.Option(help="Folder of a workspace, or its name below workspaces/. Without it: this folder.")
    ] = ".",
    scale: Annotated[int | None, typer.Option(help="Without it: the first of the workspace's scales.")] = None,
    method: Annotated[
        MethodName | None, typer.Option(help="Which networks, by their row in the results. Without it: the final pair.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write. Without it: exports/xSCALE-METHOD.onnx.")] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Layers in 8 bits, calibrated on validation plates.")] = False,
    plates: Annotated[int, typer.Option(min=1, help="Validation plates to calibrate with at most.")] = 64,
) -> None:
    """Write SR, resizing, recognizer and suppression as one ONNX model (docs/EXPORT.md)."""
    from acl_core.export.int8 import quantize
    from acl_core.export.onnx_model import write_model
    from tasks.export.build import calibration_plates, export_model  # torch, 2 s

    folder = find_workspace(workspace)
    params = load_params(folder / "params.yaml")
    chosen = params.scales[0] if scale is None else scale
    method = method or (MethodName.ROUNDS if params.rounds.anything else MethodName.PHASE2)
    calibration = calibration_plates(folder, chosen, plates) if int8 else None
    model = export_model(folder, params, chosen, method)
    if calibration is not None:
        model = quantize(model, calibration)
    path = out or folder / "exports" / f"x{chosen}-{method}{'-int8' if int8 else ''}.onnx"
    write_model(model, path)
    typer.echo(path)
