"""A password in the address of MLflow reaches the server, and nobody else."""

import base64
import logging
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
from typer.testing import CliRunner

from tasks import cli
from tasks.tracking.journal import FOLDER
from tasks.tracking.store import tracking_uri, without_users
from tests.unit.tasks.tracking.test_tracker import train

USER, PASSWORD = "someone", "a pass/word"
GIVEN = "someone:a%20pass%2Fword"  # as an address has to write it


class Refuses(BaseHTTPRequestHandler):
    """Refuses every request and notes who asked."""

    asked: ClassVar[list[str]] = []

    def parse_request(self) -> bool:
        """Before any method is looked for."""
        if super().parse_request():
            self.asked.append(self.headers.get("Authorization", ""))
            self.send_error(403)
        return False


def give(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    for name in ("USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", "")  # is put back afterwards
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)


def test_a_server_hears_user_and_password_and_the_log_does_not(
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with HTTPServer(("127.0.0.1", 0), Refuses) as server, caplog.at_level(logging.DEBUG):
        host = f"127.0.0.1:{server.server_port}"
        give(monkeypatch, f"http://{GIVEN}@{host}")
        Thread(target=server.serve_forever, daemon=True).start()
        train(store)
        server.shutdown()
    with caplog.at_level(logging.DEBUG):  # away, where MLflow's own errors have the address
        train(store, "phase2@4")
        done = CliRunner().invoke(cli.app, ["track", "sync", "--workspace", str(Path.cwd())])
    assert set(Refuses.asked) == {"Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
    said = caplog.text + done.output + str(done.exception) + "".join(capfd.readouterr())
    said += "".join(file.read_text(encoding="utf-8") for file in FOLDER.rglob("*.json*"))
    assert host in said  # a person has to know which server
    assert [secret for secret in (PASSWORD, GIVEN, USER) if secret in said] == []


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://someone:p%40ss@host:5000/path", "https://host:5000/path"),
        ("http://host:5000", "http://host:5000"),
        ("postgresql://someone:secret@host/mlflow", "postgresql://someone:secret@host/mlflow"),  # takes no other way
    ],
)
def test_the_address_that_is_used(given: str, used: str, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, given)
    assert tracking_uri(Path()) == tracking_uri(Path()) == os.environ["MLFLOW_TRACKING_URI"] == used
    assert os.environ["MLFLOW_TRACKING_PASSWORD"] == ("p@ss" if given != used else "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("API request to http://someone:p@ss@host:5000/api failed", "API request to http://host:5000/api failed"),
        ("postgresql+psycopg2://u:secret@host/db, https://token@host", "postgresql+psycopg2://host/db, https://host"),
        ("http://host/a@b me@there.org", "http://host/a@b me@there.org"),
    ],
)
def test_a_text_is_shown_without_passwords(text: str, shown: str) -> None:
    assert without_users(text) == shown
