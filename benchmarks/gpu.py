"""``python -m benchmarks.gpu``: trainings and reading on a GPU against the plain way in the same run.

Needs only what ``acl_core`` needs. The reference is eager float32, plate by plate. Trainings and it take turns;
latencies are synchronised and taken after a warm-up. "Networks" are SR, resize, recognizer and boxes on pictures that
lie on the device; "end to end" begins with uint8 pictures on the host and ends with characters in reading order.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

from acl_core.data.manifest import Plate
from acl_core.device import compute_of
from acl_core.evaluate.decode import detect, read
from acl_core.params import Common, Precision
from acl_core.params_plates import Direction
from benchmarks import reference
from benchmarks.captured import Captured
from benchmarks.clock import in_turn, markdown, matrix_rate, median, seconds_of
from benchmarks.contests import PHASE_2_AGAIN, TRAININGS, read_plates, training
from benchmarks.material import ROOT, Material, one_epoch

_WARM_UP = 5  # calls
_SECTIONS = dict(zip(TRAININGS, ("pretrain_sr", "pretrain_recognizer", "phase1", "phase2", "phase2"), strict=True))
_CONTROL = "control"  # bicubic_phase2: Phase 2's batches, for as long as Phase 2 where its epochs are null


def main() -> None:
    """Print the table, and what the trainings of the profile ``paper`` would take."""
    options = _options()
    material = Material.tiny() if options.tiny else Material.of_paper()
    device = torch.device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    rate = matrix_rate(device, torch.bfloat16, 128 if options.tiny else 8192)
    print(f"{name}, torch {torch.__version__}, ours in bf16; bf16 matrix product {rate / 1e12:.2f} TFLOP/s\n")
    profile = _paper_profile()
    with tempfile.TemporaryDirectory() as folder:
        rows, seconds = _trainings(material, options, rate, Path(folder), profile)
    print(markdown([*rows, *_readings(material, options, device, rate)]) + "\n")
    print(_of_paper_profile(seconds, profile, options.batch))


def _trainings(
    material: Material, options: argparse.Namespace, rate: float, folder: Path, profile: Mapping[str, Any]
) -> tuple[list[Mapping[str, str]], dict[str, float]]:
    """Lines of the table, and seconds a plate of ours by training; in the profile's batches unless told otherwise."""
    compute = compute_of(Common(seed=material.seed, precision=Precision.BF16, device=options.device))
    rows, seconds = [], {}
    for name in TRAININGS:
        batch_size = options.batch or profile[_SECTIONS[name]]["batch_size"]
        contest = training(
            name,
            material,
            compute,
            n_plates=options.plates,
            n_reference=options.reference_plates,
            batch_size=batch_size,
            folder=folder,
        )
        times = in_turn(contest.reference, contest.ours, options.rounds)
        plain, ours = median(times.reference), median(times.ours)
        rows.append(_row(name, batch_size, plain, ours, times.ratios, contest.flops / rate))
        seconds[name] = ours
    return rows, seconds


def _readings(
    material: Material, options: argparse.Namespace, device: torch.device, rate: float
) -> Iterator[Mapping[str, str]]:
    for n_plates in options.sizes:
        plates = list(material.pairs(n_plates).plates)
        plain, ways = _ways(material, plates, options, device)
        with FlopCounterMode(display=False) as counter:
            plain(1)
        floor = float(counter.get_total_flops()) / rate
        n_plain = min(n_plates, options.reference_plates)
        slow = [seconds_of(partial(plain, n_plain), device) / n_plain for _ in range(options.rounds)]
        for name, call in ways.items():
            for _ in range(_WARM_UP):
                call()
            times = np.array([seconds_of(call, device) for _ in range(options.calls)])
            a_plate = float(np.median(times)) / n_plates
            ratios = [seconds / a_plate for seconds in slow]
            p50, p99 = np.percentile(times, [50, 99]) * 1e3
            yield _row(name, n_plates, median(slow), a_plate, ratios, floor, (f"{p50:.3f}", f"{p99:.3f}"))


def _row(
    what: str,
    batch: int,
    plain: float,
    ours: float,
    ratios: Sequence[float],
    floor: float,
    latency: tuple[str, str] = ("-", "-"),
) -> Mapping[str, str]:
    """A line of the table; times in seconds a plate."""
    return {
        "what": what,
        "batch": str(batch),
        "reference, plates/s": f"{1 / plain:.1f}",
        "ours, plates/s": f"{1 / ours:.1f}",
        "ours, ms a plate": f"{1e3 * ours:.4f}",
        "times faster": f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
        "share of the floor": f"{floor / ours:.1%}",
        "p50, ms": latency[0],
        "p99, ms": latency[1],
    }


def _paper_profile() -> dict[str, Any]:
    """The sections of the profile ``paper``, with what it leaves to params.yaml."""
    base, own = (
        yaml.safe_load((ROOT / file).read_text(encoding="utf-8")) for file in ("params.yaml", "profiles/paper.yaml")
    )
    return {
        name: section | own.get(name, {}) if isinstance(section, dict) else section for name, section in base.items()
    }


def _of_paper_profile(seconds: Mapping[str, float], profile: Mapping[str, Any], batch: int | None) -> str:
    """What the trainings of the profile ``paper`` would take at these seconds a plate, without its validations.

    The control was not timed: it is taken at the rate of recognizer pretraining, which trains the same network, but on
    HR pictures instead of LR ones that are enlarged. So its time is an approximation.

    Args:
        seconds: By training.
        profile: With epochs and numbers of plates.
        batch: Plates a batch where the rates were not measured in the profile's batches.
    """
    epochs = {what: profile[_SECTIONS[what]]["epochs"] for what in TRAININGS if what != PHASE_2_AGAIN}
    own = profile["bicubic_phase2"]["epochs"]
    epochs[_CONTROL] = profile["phase2"]["epochs"] if own is None else own
    rates = {**seconds, _CONTROL: seconds["recognizer pretraining"]}
    n_plates = profile["plates"]["synthetic"]["train"]
    minutes = {what: n * n_plates * rates[what] / 60 for what, n in epochs.items()}
    said = ", ".join(f"{what} {m:.1f}" for what, m in minutes.items())
    where = f", measured in batches of {batch} instead of its own" if batch else ""
    return f"The profile `paper` at these rates{where}, minutes a scale: {sum(minutes.values()):.1f} ({said})."


def _ways(
    material: Material, plates: list[Plate], options: argparse.Namespace, device: torch.device
) -> tuple[Callable[[int], None], dict[str, Callable[[], object]]]:
    """The plain way for some of the plates, and ours for all of them."""
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

    def plain(n: int) -> None:
        for row in host[:n]:
            lr = row.to(device).permute(2, 0, 1)[None].float() / 255
            reference.read_plate(plain_sr, plain_recognizer, lr.contiguous(), rule)

    def captured_end_to_end() -> object:
        captured.plates.copy_(host, non_blocking=True)
        return [read(found, rule, Direction.LTR) for found in detect(captured())]

    return plain, {
        "reading as the evaluation does, end to end": lambda: read_plates(
            plates, sr, recognizer, rule, compute, bucket_px
        ),
        "reading captured, networks": captured,
        "reading captured, end to end": captured_end_to_end,
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="toy networks, to see that it runs")
    parser.add_argument("--compile", action="store_true", help="torch.compile in front of the capture")
    parser.add_argument("--batch", type=int, help="plates a training batch; without it those of the profile paper")
    parser.add_argument("--plates", type=int, default=2048, help="plates of ours a round")
    parser.add_argument("--reference-plates", type=int, default=64, help="plates of the reference a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 64, 256], help="batches to read")
    parser.add_argument("--calls", type=int, default=100, help="timed calls a row")
    return parser.parse_args()


if __name__ == "__main__":
    main()
