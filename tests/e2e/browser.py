"""Pages in a real browser, without a window."""

import shutil
import subprocess
import tempfile

import pytest

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
