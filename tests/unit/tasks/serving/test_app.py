"""Calls over HTTP, to a real reader of untrained networks; one that waits stands in where a queue has to be full."""

import asyncio
import base64
import io
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from typer.testing import CliRunner

from acl_core.reader.plate_text import PlateText
from acl_core.reader.reader import PlateReader
from acl_core.reader.rows import row_of
from tasks.cli import app as cli
from tasks.serving import app as app_module
from tasks.serving import server
from tasks.serving.app import make_app
from tasks.serving.current import Current, Loaded
from tasks.serving.limits import Limits
from tasks.serving.service import Service, Settings
from tests.readers import packaged

LIMITS = Limits(64 * 1024, 40_000, 3)
SETTINGS = Settings(max_batch=4, max_wait_s=0, max_waiting=6, max_bytes=512 * 1024, poll_s=60, limits=LIMITS)


def png(width: int, height: int, dark: bool = False) -> bytes:
    buffer = io.BytesIO()
    levels = np.random.default_rng(0).integers(0, 1 if dark else 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(levels).save(buffer, format="PNG")
    return buffer.getvalue()


SMALL, LARGE, HUGE = png(12, 6), png(120, 60), png(300, 200, dark=True)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> PlateReader:
    return PlateReader.load(packaged(tmp_path_factory.mktemp("toy")), "cpu")


@pytest.fixture(scope="module")
def client(reader: PlateReader) -> Iterator[TestClient]:
    with TestClient(make_app(Service(Current(Loaded("toy", reader)), SETTINGS))) as client:
        yield client


def form(*pictures: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    return [("picture", (f"{i}.png", data)) for i, data in enumerate(pictures)]


def test_a_form_and_json_give_the_rows_that_the_reader_gives(client: TestClient, reader: PlateReader) -> None:
    pictures = [np.asarray(Image.open(io.BytesIO(data))) for data in (SMALL, LARGE)]
    wanted = [row_of(plate.rejecting(0.2)) | {"model": "toy"} for plate in reader.read(pictures, with_sr=True)]
    sent = client.post("/read", files=form(SMALL, LARGE), data={"reject_below": "0.2", "return_sr": "true"})
    assert sent.status_code == 200
    assert sent.json()["plates"] == wanted
    encoded = [base64.b64encode(data).decode() for data in (SMALL, LARGE)]
    again = client.post("/read", json={"pictures": encoded, "reject_below": 0.2, "return_sr": True})
    assert again.json() == sent.json()
    assert [row["scale"] for row in wanted] == [4, 1]


def test_a_picture_that_cannot_be_read_has_a_reason_and_no_path_is_opened(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "plate.png").write_bytes(SMALL)
    pictures = [str(tmp_path / "plate.png"), base64.b64encode(b"no picture").decode(), base64.b64encode(SMALL).decode()]
    rows = client.post("/read", json={"pictures": pictures}).json()["plates"]
    assert [row["error"] is None for row in rows] == [False, False, True]
    assert "not base64" in rows[0]["error"]
    assert "not a picture" in rows[1]["error"]
    assert rows[2]["sr_png"] is None


def test_a_format_that_is_not_read_is_not_even_looked_at(client: TestClient) -> None:
    """Its size would be too large, if its header went to Pillow's decoder of this format."""
    buffer = io.BytesIO()
    Image.new("P", (300, 200)).save(buffer, format="GIF")
    answer = client.post("/read", files=form(buffer.getvalue()))
    assert answer.status_code == 200
    assert "not a picture (PNG or" in answer.json()["plates"][0]["error"]


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"files": form(SMALL, SMALL, SMALL, SMALL)}, 413, "4 pictures, more than 3"),
        ({"files": form(b"0" * 70_000)}, 413, "more than 0.0625 MiB"),
        ({"content": iter([b"0" * 70_000]), "headers": {"Content-Type": "application/json"}}, 413, "0.0625 MiB"),
        ({"files": form(SMALL, HUGE)}, 413, "1.png: 300 x 200 px, more than 0.04 Mpx"),
        ({"json": {"pictures": [base64.b64encode(HUGE).decode()]}}, 413, "picture 1: 300 x 200 px"),
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415, "multipart/form-data or application/json"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 422, "boundary"),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 422, "body: Invalid JSON"),
        ({"json": {"pictures": []}}, 422, "pictures: "),
        ({"json": {"pictures": ["QQ=="], "reject": 1}}, 422, "reject: Extra inputs"),
        ({"files": form(SMALL), "data": {"reject_below": "2"}}, 422, "reject_below: "),
        ({"files": [("photo", ("a.png", SMALL))]}, 422, "named `picture`"),
    ],
)
def test_what_is_not_taken_is_refused_with_a_reason(
    client: TestClient, sent: dict[str, Any], status: int, said: str
) -> None:
    answer = client.post("/read", **sent)
    assert answer.status_code == status
    assert said in answer.json()["error"]
    assert client.get("/health").json() == {"status": "ok", "model": "toy", "waiting": 0}


class Held:
    """A reader that waits."""

    def __init__(self) -> None:
        self.gate, self.began = threading.Event(), threading.Event()

    def read(self, pictures: Sequence[np.ndarray], *, with_sr: bool = False) -> list[PlateText]:
        self.began.set()
        assert self.gate.wait(10)
        return [PlateText((), 12, 6, 4)] * len(pictures)


def test_a_full_house_sends_callers_away_at_once_and_those_inside_are_served() -> None:
    held = Held()
    service = Service(Current(Loaded("held", held)), SETTINGS)
    with TestClient(make_app(service)) as client, ThreadPoolExecutor(2) as callers:
        inside = [callers.submit(client.post, "/read", files=form(*[SMALL] * 3)) for _ in range(2)]
        assert held.began.wait(10)
        while service.places.taken < 6:
            pass
        sent_away = client.post("/read", files=form(SMALL))
        assert sent_away.status_code == 429
        assert int(sent_away.headers["Retry-After"]) >= 1
        held.gate.set()
        assert [answer.result(10).status_code for answer in inside] == [200, 200]
        assert client.post("/read", files=form(SMALL)).status_code == 200
        numbers = client.get("/metrics").text
    assert 'acl_requests_total{status="429"} 1.0' in numbers
    assert 'acl_plates_total{outcome="read"} 7.0' in numbers
    assert 'acl_model{model="held"} 1.0' in numbers
    assert not service.batcher.is_alive


def test_bodies_together_are_bounded_until_their_answers() -> None:
    held = Held()
    service = Service(Current(Loaded("held", held)), replace(SETTINGS, max_bytes=LIMITS.max_body))
    large = form(SMALL, b"0" * 40_000)
    with TestClient(make_app(service)) as client, ThreadPoolExecutor(2) as callers:
        inside = callers.submit(client.post, "/read", files=large)
        assert held.began.wait(10)
        assert client.post("/read", files=large).status_code == 429
        assert 40_000 < service.places.n_bytes < 50_000
        beside = callers.submit(client.post, "/read", files=form(SMALL))
        while service.places.taken < 3:
            pass
        held.gate.set()
        assert [answer.result(10).status_code for answer in (inside, beside)] == [200, 200]
        assert service.places.n_bytes == 0
        assert client.post("/read", files=large).status_code == 200


def test_there_is_room_for_each_body_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Settings] = []
    monkeypatch.setattr(server, "serve", lambda *given: asked.append(given[-1]))
    done = CliRunner().invoke(cli, ["serve", "--max-bodies-mib", "1", "--max-body-mib", "2"])
    assert done.exit_code == 0, done.output
    assert (asked[0].max_bytes, asked[0].limits.max_body) == (2 * 2**20, 2 * 2**20)


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/json"])
def test_a_caller_who_hangs_up_is_no_error_of_the_server(reader: PlateReader, kind: str) -> None:
    service = Service(Current(Loaded("toy", reader)), SETTINGS)
    arriving = [{"type": "http.request", "body": b"--x\r\n", "more_body": True}]
    scope = {"type": "http", "method": "POST", "path": "/read", "query_string": b"", "http_version": "1.1"}
    scope |= {"headers": [(b"content-type", kind.encode()), (b"content-length", b"1000")], "scheme": "http"}

    async def receive() -> dict[str, Any]:
        return arriving.pop() if arriving else {"type": "http.disconnect"}

    async def send(_: Any) -> None: ...

    asyncio.run(make_app(service)(scope, receive, send))
    assert service.metrics.text().count(b"acl_requests_total{") == 1
    assert b'acl_requests_total{status="499"} 1.0' in service.metrics.text()
    assert (service.places.taken, service.places.n_bytes) == (0, 0)


def test_a_body_that_does_not_arrive_holds_no_place_for_ever(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "_BODY_S", 0)
    assert client.post("/read", files=form(SMALL)).status_code == 408
    assert client.get("/health").json()["waiting"] == 0


def test_pages_and_api_name_no_other_host(client: TestClient) -> None:
    for path in ("/", "/docs"):
        page = client.get(path)
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "http" not in page.text.replace("http://www.w3.org/2000/svg", "")
    call = client.get("/openapi.json").json()["paths"]["/read"]["post"]
    assert set(call["requestBody"]["content"]) == {"multipart/form-data", "application/json"}
    assert {"200", "408", "413", "415", "422", "429"} <= set(call["responses"])
