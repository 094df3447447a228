"""``python -m benchmarks.cpu``: trainings and reading on a CPU, the plain way and ours in turn in one run.

A row's times are medians over the rounds; the ratio is the median of the rounds' ratios with their least and largest.
The share of the floor is the time that a plate's operations would take at the rate of a large matrix product in our
arithmetic, over the time that they took.
"""

import argparse
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from acl_core.device import compute_of
from acl_core.params import Common, Precision
from benchmarks.clock import in_turn, markdown, matrix_rate, median
from benchmarks.contests import TRAININGS, Contest, reading, training
from benchmarks.material import Material

_READING = "reading"


def main() -> None:
    """Print the table."""
    options = _options()
    material = Material.tiny() if options.tiny else Material.of_paper()
    compute = compute_of(Common(seed=material.seed, precision=Precision(options.precision), device="cpu"))
    dtype = torch.bfloat16 if compute.bf16 else torch.float32
    rate = matrix_rate(compute.device, dtype, 256 if options.tiny else 2048)
    threads = torch.get_num_threads()
    print(
        f"{threads} threads, ours in {compute.precision.value}, batches of {options.batch}; matrix product "
        f"{rate / 1e9:.0f} GFLOP/s; GLIBC_TUNABLES {'set' if 'GLIBC_TUNABLES' in os.environ else 'not set'}"
    )
    with tempfile.TemporaryDirectory() as folder:
        chosen = [_training(name, material, options, Path(folder)) for name in TRAININGS if name in options.only]
        chosen += [reading(material, compute)] if _READING in options.only else []
        print(markdown(list(_rows(chosen, options.rounds, rate))))


def _training(name: str, material: Material, options: argparse.Namespace, folder: Path) -> Contest:
    compute = compute_of(Common(seed=material.seed, precision=Precision(options.precision), device="cpu"))
    return training(
        name,
        material,
        compute,
        n_plates=options.plates,
        n_reference=options.reference_plates,
        batch_size=options.batch,
        folder=folder,
    )


def _rows(contests: Iterable[Contest], rounds: int, rate: float) -> Iterator[dict[str, str]]:
    for contest in contests:
        more = 10 if contest.name not in TRAININGS else 1  # a reading is short
        times = in_turn(contest.reference, contest.ours, rounds * more)
        ours, ratios = median(times.ours), times.ratios
        yield {
            "what": contest.name,
            "GFLOP a plate": f"{contest.flops / 1e9:.1f}",
            "reference, ms a plate": f"{median(times.reference) * 1e3:.1f}",
            "ours, ms a plate": f"{ours * 1e3:.1f}",
            "ours, plates/s": f"{1 / ours:.2f}",
            "times faster": f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            "share of the floor": f"{contest.flops / rate / ours:.0%}",
        }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="toy networks, to see that it runs")
    parser.add_argument("--precision", default="auto", choices=[p.value for p in Precision])
    parser.add_argument("--batch", type=int, default=8, help="plates a batch of ours")
    parser.add_argument("--plates", type=int, default=16, help="plates of ours a round")
    parser.add_argument("--reference-plates", type=int, default=4, help="plates of the reference a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=[*TRAININGS, _READING], choices=[*TRAININGS, _READING])
    return parser.parse_args()


if __name__ == "__main__":
    main()
