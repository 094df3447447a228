"""`acl serve` under steady requests: `python -m benchmarks.serve --seconds 60 --rates 10`.

A real service is asked by callers of this process, one plate a request, in turns with and without batching. A rate is
requests a second that come whatever the service does, so a latency counts from when a request was due; rate 0 asks as
fast as the callers can.
"""

import argparse
import http.client
import io
import itertools
import math
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from acl_core.data.batches import PairSet
from acl_core.data.manifest import Side
from acl_core.reader.package import lr_pictures
from tasks.environment import keep_quiet
from tasks.processes import end_group

_BOUNDARY = "plate"
_KIND = f"multipart/form-data; boundary={_BOUNDARY}"
_PATIENCE_S = 120
_COLUMNS = (
    *("requests a second", "batches of", "answered a second", "p50, ms", "p95, ms", "p99, ms", "errors", "429"),
    *("RSS before, MiB", "after"),
)
_HEADER = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|"


@dataclass
class Load:
    """What became of the requests of one run.

    Attributes:
        latencies_s: Of the requests that were answered with 200.
        busy: Answered with 429.
        errors: Everything else.
        seconds: From the first request to the last answer.
        rss_mib: Of the service, after its first requests and at the end.
    """

    latencies_s: list[float] = field(default_factory=list)
    busy: int = 0
    errors: int = 0
    seconds: float = 0.0
    rss_mib: tuple[float, float] = (0.0, 0.0)

    def row(self) -> str:
        """As cells of a Markdown table."""
        p50, p95, p99 = (1000 * float(np.quantile(self.latencies_s or [math.nan], q)) for q in (0.5, 0.95, 0.99))
        before, after = self.rss_mib
        rate = len(self.latencies_s) / self.seconds
        return (
            f"{rate:.1f} | {p50:.0f} | {p95:.0f} | {p99:.0f} | {self.errors} | {self.busy} | {before:.0f} | {after:.0f}"
        )


def main(arguments: Sequence[str] | None = None) -> list[Load]:
    """Print a Markdown table and return its rows."""
    given = _options(arguments)
    keep_quiet()
    bodies = [_form(picture) for picture in lr_pictures(PairSet.load(given.pairs, Side.TEST))]
    print(_HEADER)
    loads = []
    for rate, batch in itertools.product(given.rates, given.batches):
        with serving(["--max-batch", str(batch), *given.serve]) as (port, pid):
            ask(port, pid, bodies, 0, given.warm_up, given.callers)
            load = ask(port, pid, bodies, rate, given.seconds, given.callers)
        print(f"| {f'{rate:g}' if rate else f'{given.callers} callers'} | {batch} | {load.row()} |", flush=True)
        loads.append(load)
    return loads


@contextmanager
def serving(options: Sequence[str]) -> Iterator[tuple[int, int]]:
    """A service in a process of its own: its port and its process id."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = "from tasks.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "--port", str(port), *options]
    process = subprocess.Popen(
        command, env=dict(os.environ), text=True, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _wait_for(port, process)
        yield port, process.pid
    finally:
        end_group(process)


def ask(port: int, pid: int, bodies: Sequence[bytes], rate: float, seconds: float, n_callers: int) -> Load:
    """Ask a service for some time; callers share the requests among them."""
    load, lock, numbers = Load(), threading.Lock(), itertools.count()
    before = _rss_mib(pid)
    start = time.perf_counter()

    def call() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
        while True:
            with lock:
                number = next(numbers)
            due = start + number / rate if rate else time.perf_counter()
            if due - start >= seconds:
                break
            time.sleep(max(0.0, due - time.perf_counter()))
            status = _status(connection, bodies[number % len(bodies)])
            with lock:
                _note(load, status, time.perf_counter() - due)
        connection.close()

    callers = [threading.Thread(target=call) for _ in range(n_callers)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    load.seconds, load.rss_mib = time.perf_counter() - start, (before, _rss_mib(pid))
    return load


def _status(connection: http.client.HTTPConnection, body: bytes) -> int:
    try:
        connection.request("POST", "/read", body, {"Content-Type": _KIND})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        connection.close()  # the next request opens it again
        return 0
    return answer.status


def _note(load: Load, status: int, latency_s: float) -> None:
    if status == http.HTTPStatus.OK:
        load.latencies_s.append(latency_s)
    elif status == http.HTTPStatus.TOO_MANY_REQUESTS:
        load.busy += 1
    else:
        load.errors += 1


def _form(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG")
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="picture"; filename="plate.png"\r\n\r\n'
    return head.encode() + file.getvalue() + f"\r\n--{_BOUNDARY}--\r\n".encode()


def _rss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def _wait_for(port: int, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("the service did not start; run `acl serve` with the same options to see why")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, default=Path("data/pairs/x4"), help="pairs whose test side is sent")
    parser.add_argument("--rates", type=float, nargs="+", default=[10, 0], help="requests a second; 0: all that goes")
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 1], help="plates a batch at most")
    parser.add_argument("--seconds", type=float, default=60, help="of each run")
    parser.add_argument("--warm-up", type=float, default=3, help="seconds that are not counted")
    parser.add_argument("--callers", type=int, default=16, help="that ask side by side")
    parser.add_argument("--serve", nargs=argparse.REMAINDER, default=[], help="options of `acl serve`, the last ones")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
