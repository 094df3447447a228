"""``python -m benchmarks.exported``: one plate, LR array to text, by the exported model of the paper's networks.

The plain way and every reader take turns call by call in one run. Weights are random: they change no time, as long as
few boxes are left to suppress. How many plates 8 bits cost is measured with trained networks (`benchmarks.export`).
"""

import argparse
import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import torch

from acl_core.export.candidates import PlateCandidates
from acl_core.export.int8 import quantize
from acl_core.export.onnx_model import Facts, build_model, write_model
from acl_core.export.reader import Backend, OnnxReader
from acl_core.params_plates import Direction
from benchmarks import reference
from benchmarks.clock import markdown, median, seconds_of
from benchmarks.material import SCALE, Material, one_epoch

_CALIBRATE = 8  # plates
_WARM_UP = 3  # calls that are not timed, of each reader
_CPU = torch.device("cpu")


def main() -> None:
    """Export where there is no model yet, and print the table."""
    options = _options()
    material = Material.tiny() if options.tiny else Material.of_paper()
    with tempfile.TemporaryDirectory() as temporary:
        models = _models(material, options.models or Path(temporary))
        if options.calls:
            print(f"{torch.get_num_threads()} threads, {options.calls} calls of each in turn, medians\n")
            print(markdown(_rows(_readers(material, models), options.calls)))


def _models(material: Material, folder: Path) -> dict[str, Path]:
    """The model in float32 and in 8 bits."""
    folder.mkdir(parents=True, exist_ok=True)
    models = {"float32": folder / "float32.onnx", "8 bits": folder / "int8.onnx"}
    if not models["float32"].exists():
        sr, recognizer = material.build_sr().eval(), material.build_recognizer().eval()
        classes = tuple(str(i) for i in range(recognizer.n_classes))
        facts = Facts(classes, SCALE, one_epoch(1).reading, Direction.LTR, "benchmark", {})
        write_model(build_model(PlateCandidates(sr, recognizer, material.sr.bucket_px), facts), models["float32"])
    if not models["8 bits"].exists():
        plates = [plate.lr for plate in islice(material.pairs(_CALIBRATE).plates, _CALIBRATE) if plate.lr is not None]
        write_model(quantize(onnx.load(models["float32"]), plates), models["8 bits"])
    return models


def _readers(material: Material, models: dict[str, Path]) -> dict[str, Callable[[], object]]:
    picture = np.array(material.pairs(1).plates[0].lr)
    sr, recognizer = reference.PlainDbpn.like(material.build_sr()).eval(), material.build_recognizer().eval()
    rule, threads = one_epoch(1).reading, torch.get_num_threads()

    def plain() -> object:
        lr = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
        return reference.read_plate(sr, recognizer, lr.contiguous(), rule)

    readers: dict[str, Callable[[], object]] = {"reference": plain}
    for name, path in models.items():
        for backend in Backend:
            readers[f"{backend}, {name}"] = _reader(OnnxReader(path, backend, threads), picture)
        known = OnnxReader(path, Backend.OPENVINO, threads, [picture.shape[:2]])
        readers[f"openvino, {name}, size known"] = _reader(known, picture)
    return readers


def _reader(reader: OnnxReader, picture: np.ndarray) -> Callable[[], object]:
    return lambda: reader.read(picture)


def _rows(readers: dict[str, Callable[[], object]], n_calls: int) -> list[dict[str, str]]:
    times: dict[str, list[float]] = {name: [] for name in readers}
    for call in range(_WARM_UP + n_calls):
        for name, reader in readers.items():
            seconds = seconds_of(reader, _CPU)
            if call >= _WARM_UP:
                times[name].append(seconds)
    plain = times["reference"]
    rows = []
    for name, own in times.items():
        ratios = sorted(r / o for r, o in zip(plain, own, strict=True))
        quarters = f"{ratios[len(ratios) // 4]:.2f} to {ratios[3 * len(ratios) // 4]:.2f}"
        row = {"one plate, LR to text": name, "ms": f"{median(own) * 1e3:.1f}", "least, ms": f"{min(own) * 1e3:.1f}"}
        rows.append(row | {"times faster": f"{median(ratios):.2f} ({quarters})"})
    return rows


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="toy networks, to see that it runs")
    parser.add_argument("--models", type=Path, help="folder of the models, kept and used again")
    parser.add_argument("--calls", type=int, default=30, help="timed calls of each reader; 0: export alone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
