"""Pages in a real browser, without a window."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed")


def browse(address: str, *options: str) -> str:
    """What the browser prints for a page, such as its DOM with --dump-dom."""
    assert BROWSER is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        done = subprocess.run(
            [*command, "--window-size=1200,900", *options, address],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    return done.stdout


class Tab:
    """A page that is used as a person would, over the browser's debugging protocol.

    Args:
        socket: Connected to the page.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._n = socket, 0

    def call(self, method: str, **parameters: Any) -> Any:
        """The result of a call of the protocol; events are passed over."""
        self._n += 1
        self._socket.send(json.dumps({"id": self._n, "method": method, "params": parameters}))
        while (said := json.loads(self._socket.recv(timeout=60))).get("id") != self._n:
            pass
        assert "error" not in said, said
        return said["result"]

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait_until(self, script: str, seconds: float = 60) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + seconds
        while not self.evaluate(script):
            assert time.monotonic() < deadline, (script, self.evaluate("document.body.innerText"))
            time.sleep(0.1)

    def choose(self, selector: str, *files: Path) -> None:
        """Choose files in an input."""
        found = self.call("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")
        self.call("DOM.setFileInputFiles", objectId=found["result"]["objectId"], files=[str(file) for file in files])

    def screenshot(self, path: Path) -> None:
        """Write what is seen as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def opened(address: str, size: str = "1200,900") -> Iterator[Tab]:
    """A page that stays open for a block."""
    assert BROWSER is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", f"--window-size={size}"]
        process = subprocess.Popen(
            [BROWSER, *options, "--remote-debugging-port=0", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with connect(_debugged(Path(profile), address, process), max_size=None) as socket:
                tab = Tab(socket)
                tab.wait_until("location.href !== 'about:blank' && document.readyState === 'complete'")
                yield tab
        finally:
            process.kill()
            process.wait()


def _debugged(profile: Path, address: str, process: "subprocess.Popen[bytes]") -> str:
    """Where the page can be reached, once the browser has opened it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.1)
        try:
            port = (profile / "DevToolsActivePort").read_text(encoding="utf-8").split()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=5) as answer:
                found = [page for page in json.load(answer) if page["url"].startswith(address)]
        except (OSError, IndexError):
            continue
        if found:
            return str(found[0]["webSocketDebuggerUrl"])
    raise AssertionError(f"the browser did not open {address}")
