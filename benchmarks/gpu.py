"""``python -m benchmarks.gpu``: trainings and reading on a GPU against the plain way in the same run.

Needs only what ``acl_core`` needs. The reference is eager float32 with torch's own defaults (convolutions may use
TF32). Latencies are synchronised and taken after a warm-up. "Networks" are SR, resize, recognizer and boxes on pictures
that lie on the device; "end to end" begins with uint8 pictures on the host and ends with characters in reading order.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from acl_core.data.manifest import Plate
from acl_core.device import compute_of
from acl_core.evaluate.decode import detect, read
from acl_core.params import Common, Direction, Precision
from benchmarks import reference
from benchmarks.captured import Captured
from benchmarks.clock import in_turn, markdown, matrix_rate, median, seconds_of
from benchmarks.contests import TRAININGS, read_plates, training
from benchmarks.material import Material, one_epoch

_WARM_UP = 5  # calls


def main() -> None:
    """Print both tables."""
    options = _options()
    material = Material.tiny() if options.tiny else Material.of_paper()
    device = torch.device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    rate = matrix_rate(device, torch.bfloat16, 128 if options.tiny else 8192)
    print(f"{name}, torch {torch.__version__}, ours in bf16; bf16 matrix product {rate / 1e12:.2f} TFLOP/s\n")
    with tempfile.TemporaryDirectory() as folder:
        print(markdown(list(_trainings(material, options, rate, Path(folder)))) + "\n")
    print(markdown(list(_readings(material, options, device))))


def _trainings(material: Material, options: argparse.Namespace, rate: float, folder: Path) -> Iterator[dict[str, str]]:
    compute = compute_of(Common(seed=material.seed, precision=Precision.BF16, device=options.device))
    for name in TRAININGS:
        contest = training(
            name,
            material,
            compute,
            n_plates=options.plates,
            n_reference=options.reference_plates,
            batch_size=options.batch,
            folder=folder,
        )
        times = in_turn(contest.reference, contest.ours, options.rounds)
        ours = median(times.ours)
        yield {
            "training": name,
            "reference, plates/s": f"{1 / median(times.reference):.1f}",
            "ours, plates/s": f"{1 / ours:.1f}",
            "times faster": f"{median(times.ratios):.2f} ({min(times.ratios):.2f} to {max(times.ratios):.2f})",
            "share of the floor": f"{contest.flops / rate / ours:.1%}",
        }


def _readings(material: Material, options: argparse.Namespace, device: torch.device) -> Iterator[dict[str, str]]:
    for n_plates in options.sizes:
        plates = list(material.pairs(n_plates).plates)
        for name, call in _ways(material, plates, options, device).items():
            for _ in range(_WARM_UP):
                call()
            times = np.array([seconds_of(call, device) for _ in range(options.calls)]) * 1e3
            yield {
                "reading": name,
                "batch": str(n_plates),
                "p50, ms": f"{np.percentile(times, 50):.3f}",
                "p99, ms": f"{np.percentile(times, 99):.3f}",
                "p50, ms a plate": f"{np.percentile(times, 50) / n_plates:.4f}",
            }


def _ways(
    material: Material, plates: list[Plate], options: argparse.Namespace, device: torch.device
) -> dict[str, Callable[[], object]]:
    rule, bucket_px = one_epoch(1).reading, material.sr.bucket_px
    sr, recognizer = material.build_sr(), material.build_recognizer()
    plain_sr, plain_recognizer = reference.PlainDbpn.like(material.build_sr()), material.build_recognizer()
    plain_sr.to(device).eval(), plain_recognizer.to(device).eval()
    compute = compute_of(Common(seed=1, precision=Precision.BF16, device=options.device))
    compute.place(sr).eval(), compute.place(recognizer).eval()
    host = torch.from_numpy(np.stack([plate.lr for plate in plates if plate.lr is not None]))
    host = host.pin_memory() if device.type == "cuda" else host
    captured = Captured(sr, recognizer, (host.shape[0], host.shape[1], host.shape[2]), device, compiled=options.compile)
    captured.plates.copy_(host)

    def captured_end_to_end() -> object:
        captured.plates.copy_(host, non_blocking=True)
        return [read(found, rule, Direction.LTR) for found in detect(captured())]

    def plain() -> object:
        for row in host:
            lr = row.to(device).permute(2, 0, 1)[None].float() / 255
            reference.read_plate(plain_sr, plain_recognizer, lr.contiguous(), rule)
        return None

    return {
        "reference, plate by plate, end to end": plain,
        "ours as the evaluation reads, end to end": lambda: read_plates(
            plates, sr, recognizer, rule, compute, bucket_px
        ),
        "ours captured, networks": captured,
        "ours captured, end to end": captured_end_to_end,
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="toy networks, to see that it runs")
    parser.add_argument("--compile", action="store_true", help="torch.compile in front of the capture")
    parser.add_argument("--batch", type=int, default=32, help="plates a training batch")
    parser.add_argument("--plates", type=int, default=2048, help="plates of ours a round")
    parser.add_argument("--reference-plates", type=int, default=64, help="plates of the reference a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 64, 256], help="batches to read")
    parser.add_argument("--calls", type=int, default=100, help="timed calls a row")
    return parser.parse_args()


if __name__ == "__main__":
    main()
