"""The exported model against torch: plates read and time for one plate, from LR array to text, on this CPU.

Prints a table in Markdown. All readers take turns plate by plate, so what else runs here slows all of them alike.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch

from acl_core.data.batches import PairSet, collate
from acl_core.data.manifest import Plate, Side, text_of
from acl_core.device import Compute
from acl_core.evaluate.decode import read
from acl_core.evaluate.method_names import MethodName
from acl_core.evaluate.outcome import enlarge, recognize, sizes_of
from acl_core.export.int8 import quantize
from acl_core.export.onnx_model import write_model
from acl_core.export.reader import Backend, OnnxReader
from acl_core.params import Params, load_params
from tasks.environment import keep_quiet
from tasks.export.build import calibration_plates, export_model
from tasks.export.trained import load_trained
from tasks.outs import stage_out
from tasks.workspace import find_workspace

ReadPlate = Callable[[Plate], str]
_WARM_UP = 3  # calls that are not timed, of each reader


def main(arguments: Sequence[str] | None = None) -> None:
    """Export, read all test plates, time some of them, print the table."""
    options = _options(arguments)
    keep_quiet()
    torch.set_num_threads(options.threads)
    folder = find_workspace(options.workspace)
    params = load_params(folder / "params.yaml")
    scale = options.scale or params.scales[0]
    method = MethodName(options.method)
    test = PairSet.load(stage_out(folder, "degrade", scale), Side.TEST)
    plates = test.plates[: options.plates]
    with tempfile.TemporaryDirectory() as temporary:
        exact = options.float32 or _exported(folder, params, scale, method, Path(temporary))
        coarse = options.int8 or _quantized(
            exact, calibration_plates(folder, scale, options.calibrate), Path(temporary)
        )
        readers: dict[str, ReadPlate] = {"torch, float32": _by_torch(folder, params, scale, method)}
        for name, path in (("float32", exact), ("8 bits", coarse)):
            for backend in Backend:
                readers[f"{backend}, {name}"] = _by_onnx(path, backend, options.threads)
        right = {name: sum(reader(p) == p.text for p in plates) for name, reader in readers.items()}
        times = _take_turns(readers, plates, options.timed)
    print(
        f"{method} x{scale}, {len(plates)} test plates, {options.threads} thread(s), {options.timed} timed in turns\n"
    )
    print("| reader | plates read | ms a plate, median | processor ms a plate, median |\n|---|---|---|---|")
    for name in readers:
        wall, processor = (statistics.median(column) for column in zip(*times[name], strict=True))
        print(f"| {name} | {right[name]} | {wall:.1f} | {processor:.1f} |")


def _exported(folder: Path, params: Params, scale: int, method: MethodName, out: Path) -> Path:
    write_model(export_model(folder, params, scale, method), out / "float32.onnx")
    return out / "float32.onnx"


def _quantized(exact: Path, plates: Iterator[np.ndarray], out: Path) -> Path:
    write_model(quantize(onnx.load(exact), plates), out / "int8.onnx")
    return out / "int8.onnx"


def _by_torch(folder: Path, params: Params, scale: int, method: MethodName) -> ReadPlate:
    """The networks as the evaluation runs them."""
    trained = load_trained(folder, params, scale, method)
    cpu = Compute(torch.device("cpu"), bf16=False)

    def reader(plate: Plate) -> str:
        batch = collate([plate], scale, params.sr.bucket_px)
        found = recognize(
            trained.recognizer, enlarge(trained.enlarger, batch, cpu), sizes_of(trained.enlarger, batch), cpu
        )[0]
        return text_of(read(found, trained.rule, params.plates.direction).classes, trained.classes)

    return reader


def _by_onnx(path: Path, backend: Backend, threads: int) -> ReadPlate:
    model = OnnxReader(path, backend, threads)
    return lambda plate: model.read(np.asarray(plate.lr)).text


def _take_turns(
    readers: dict[str, ReadPlate], plates: Sequence[Plate], n_timed: int
) -> dict[str, list[tuple[float, float]]]:
    """Wall and processor time in ms of each call."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in readers}
    for call in range(_WARM_UP + n_timed):
        for name, reader in readers.items():
            wall, processor = time.perf_counter(), time.process_time()
            reader(plates[call % len(plates)])
            spent = (1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - processor))
            if call >= _WARM_UP:
                times[name].append(spent)
    return times


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", default=".", help="folder, or name below workspaces/")
    parser.add_argument("--scale", type=int, help="without it: the first of the workspace's scales")
    parser.add_argument("--method", default=MethodName.PHASE2.value, choices=[m.value for m in MethodName])
    parser.add_argument("--plates", type=int, default=10_000, help="test plates to read at most")
    parser.add_argument("--calibrate", type=int, default=64, help="validation plates for the 8-bit model at most")
    parser.add_argument("--float32", type=Path, help="model of `acl export`; without it, exported here")
    parser.add_argument("--int8", type=Path, help="model of `acl export --int8`; without it, calibrated here")
    parser.add_argument("--timed", type=int, default=50, help="timed calls of each reader")
    parser.add_argument("--threads", type=int, default=1, help="of the processor, for each reader")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
