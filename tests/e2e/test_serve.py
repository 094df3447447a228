"""`acl serve` as people run it: the calls of its page in the docs, a moving champion, a stop under load, a browser."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.registry.register import register
from tasks.registry.store import MODEL, Alias, Registry
from tests.e2e.browser import needs_browser, opened
from tests.e2e.conftest import end_group, wait_for
from tests.plates import ROOT
from tests.readers import workspace_with_reader

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def versions(mlflow_server: str, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two versions; the first is the champion."""
    registry = Registry(mlflow_server)
    registry.remove_model(MODEL)
    folder = tmp_path_factory.mktemp("workspaces")
    made = [register(workspace_with_reader(folder / f"w{i}", i), None, registry).version for i in range(2)]
    registry.move(Alias.CHAMPION, made[0])
    return made


class Served:
    """A running service."""

    def __init__(self, folder: Path, *options: str, uri: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.log = folder, folder / "log"
        code = "from tasks.cli import main; main()"
        command = [sys.executable, "-c", code, "serve", "--port", str(self.port), *options]
        with self.log.open("wb") as log:
            environment = os.environ | {"MLFLOW_TRACKING_URI": uri}
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True, cwd=ROOT
            )
        wait_for(f"http://127.0.0.1:{self.port}/health", self.process)

    def health(self) -> dict[str, object]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=30) as answer:
            return dict(json.load(answer))

    def curl(self, *options: str) -> subprocess.CompletedProcess[str]:
        """A call to /read with pictures of the folder."""
        command = ["curl", "--silent", "--fail", *options, f"http://127.0.0.1:{self.port}/read"]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def served(versions: list[str], mlflow_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    rng = np.random.default_rng(0)
    for name, size in (("plate.png", (6, 12, 3)), ("other.png", (80, 160, 3))):
        Image.fromarray(rng.integers(0, 255, size, dtype=np.uint8)).save(folder / name)
    served = Served(folder, "--model", f"models:/{MODEL}@champion", "--poll-s", "0.3", uri=mlflow_server)
    yield served
    if served.process.poll() is None:
        end_group(served.process)


def test_the_calls_of_the_docs(served: Served, versions: list[str]) -> None:
    text = (ROOT / "docs/SERVING.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "curl" in block]
    commands = [c for block in blocks for c in block.replace("\\\n", " ").splitlines() if c.startswith("curl ")]
    assert len(commands) >= 5
    answers = []
    for command in commands:
        own = command.replace("127.0.0.1:8000", f"127.0.0.1:{served.port}")
        done = subprocess.run(["bash", "-c", own], cwd=served.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (own, done.stderr)
        answers.append(done.stdout)
    rows = [json.loads(answer)["plates"] for answer in answers if answer.startswith('{"plates"')]
    assert [len(plates) for plates in rows] == [2, 1]
    assert {row["model"] for plates in rows for row in plates} == {f"models:/{MODEL}/{versions[0]}"}
    assert all(row["error"] is None for plates in rows for row in plates)
    assert any("acl_waiting_plates" in answer for answer in answers)


@needs_browser
def test_a_person_gives_the_page_a_picture(served: Served, tmp_path: Path) -> None:
    with opened(f"http://127.0.0.1:{served.port}/") as tab:
        tab.choose("#file", served.folder / "plate.png", served.folder / "other.png")
        tab.wait_until("document.querySelectorAll('article').length === 2")
        tab.wait_until("[...document.images].every((image) => image.naturalWidth > 0)")
        widths = tab.evaluate("[...document.images].map((image) => image.naturalWidth)")
        assert widths[:2] == [12, 48]  # LR, and SR at x4
        assert tab.evaluate("document.querySelectorAll('rect').length") > 0
        assert tab.evaluate("document.querySelector('.text').innerText").strip()
        tab.screenshot(tmp_path / "page.png")
    assert len(np.unique(np.asarray(Image.open(tmp_path / "page.png")))) > 50
    with opened(f"http://127.0.0.1:{served.port}/docs") as tab:
        tab.wait_until("document.body.innerText.includes('POST /read')")


def test_the_champion_moves_and_no_request_is_dropped(served: Served, versions: list[str], mlflow_server: str) -> None:
    over = threading.Event()

    def steady() -> list[str]:
        models = []
        while not over.is_set():
            done = served.curl("--form", "picture=@plate.png")
            assert done.returncode == 0, done
            models.append(json.loads(done.stdout)["plates"][0]["model"])
        return models

    with ThreadPoolExecutor(3) as callers:
        asked = [callers.submit(steady) for _ in range(3)]
        try:
            time.sleep(0.5)
            Registry(mlflow_server).move(Alias.CHAMPION, versions[1])
            deadline = time.monotonic() + 60
            while served.health()["model"] != f"models:/{MODEL}/{versions[1]}":
                assert time.monotonic() < deadline, served.log.read_text()
                time.sleep(0.1)
            time.sleep(0.5)
        finally:
            over.set()
        for caller in asked:
            models = caller.result()
            assert models == sorted(models)  # none goes back
            assert {models[0], models[-1]} == {f"models:/{MODEL}/{version}" for version in versions}


def test_told_to_stop_it_answers_what_was_asked(served: Served) -> None:
    """The last test: the service ends."""
    pictures = ["--form", "picture=@other.png"] * 16
    with ThreadPoolExecutor(6) as callers:
        asked = [callers.submit(served.curl, *pictures) for _ in range(6)]
        deadline = time.monotonic() + 30
        while served.health()["waiting"] != 96:
            assert time.monotonic() < deadline
        served.process.send_signal(signal.SIGTERM)
        answers = [one.result() for one in asked]
    assert [answer.returncode for answer in answers] == [0] * 6
    assert all(len(json.loads(answer.stdout)["plates"]) == 16 for answer in answers)
    assert served.process.wait(60) == 0
    log = served.log.read_text(encoding="utf-8")
    assert "all that was asked is answered" in log
    assert "Traceback" not in log
