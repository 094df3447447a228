"""The service over HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

import acl_core
from tasks.serving.asked import MalformedError, ReadJson, asked_by
from tasks.serving.limits import TooLargeError
from tasks.serving.places import BusyError
from tasks.serving.service import Service

_HERE = Path(__file__).parent
# The pages load nothing from anywhere; a picture never leaves for another host.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_BODY_S = 30  # for a request's body to arrive
_HUNG_UP = 499  # no status of HTTP, but what proxies write for a caller who left
_METRICS = "text/plain; version=0.0.4; charset=utf-8"


class Character(BaseModel):
    """A character that was read; the box is x0, y0, x1, y1 in pixels of the picture that was sent."""

    text: str
    confidence: float
    box: tuple[float, float, float, float]


class Row(BaseModel):
    """A plate."""

    text: str
    confidence: float
    characters: list[Character]
    width: int
    height: int
    scale: int
    sr_png: str | None
    error: str | None
    model: str | None


class Rows(BaseModel):
    """A row a picture, in their order."""

    plates: list[Row]


class Refused(BaseModel):
    """Why a request was not taken."""

    error: str


class Health(BaseModel):
    """How the service is."""

    status: str
    model: str
    waiting: int


_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["picture"],
    "properties": {
        "picture": {"type": "array", "items": {"type": "string", "format": "binary"}},
        "reject_below": {"type": "number", "minimum": 0, "maximum": 1, "default": 0},
        "return_sr": {"type": "boolean", "default": False},
    },
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _FORM},
            "application/json": {"schema": ReadJson.model_json_schema()},
        },
    }
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    408: {"model": Refused, "description": "The body did not arrive in time."},
    413: {"model": Refused, "description": "Too many bytes, pictures or pixels."},
    415: {"model": Refused, "description": "Neither a form nor JSON."},
    422: {"model": Refused, "description": "Not as it should be."},
    429: {"model": Refused, "description": "Busy; `Retry-After` says when to come again."},
}


def make_app(service: Service) -> FastAPI:
    """The application; it starts and stops the service."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await run_in_threadpool(service.stop)

    app = FastAPI(
        title="plate-acl",
        version=acl_core.__version__,
        summary="Reads licence plates that are too small to read.",
        license_info={"name": "AGPL-3.0-only", "identifier": "AGPL-3.0-only"},
        lifespan=life,
        docs_url=None,  # FastAPI's pages load scripts from another host
        redoc_url=None,
    )
    _add_pages(app)
    _add_refusals(app)
    _add_measuring(app, service)
    _add_calls(app, service)
    return app


def _add_calls(app: FastAPI, service: Service) -> None:
    @app.post("/read", openapi_extra=_BODY, responses=_REFUSALS, response_model=Rows)
    async def read(request: Request) -> Response:
        """Read pictures, each one plate, cropped and upright.

        A picture that cannot be read has its reason in its row; the others are read.
        """
        with service.places.visit() as visit:
            async with asyncio.timeout(_BODY_S):  # who sends a byte a minute must not hold a place
                asked = await asked_by(request, service.settings.limits, visit.carry)
            visit.bring(len(asked.pictures))
            rows = await service.rows(asked)
        for row in rows:
            service.metrics.plates.labels("read" if row["error"] is None else "error").inc()
        return JSONResponse({"plates": rows})

    @app.get("/health", responses={503: {"model": Health, "description": "It is stopping, or cannot read."}})
    async def health(response: Response) -> Health:
        """Whether plates are read here, and by which model."""
        well = service.batcher.is_alive and not service.stopping
        response.status_code = 200 if well else 503
        name = service.current.loaded.name
        return Health(status="ok" if well else "stopping", model=name, waiting=service.places.taken)

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Numbers for Prometheus."""
        return Response(service.metrics.text(), media_type=_METRICS)


def _add_pages(app: FastAPI) -> None:
    def page(path: str, file: str) -> None:
        text = (_HERE / file).read_text(encoding="utf-8")

        async def shown() -> HTMLResponse:
            return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"})

        app.get(path, include_in_schema=False)(shown)

    page("/", "page.html")
    page("/docs", "docs.html")


def _add_refusals(app: FastAPI) -> None:
    @app.exception_handler(TooLargeError)
    async def too_large(_: Request, error: TooLargeError) -> JSONResponse:
        return _refused(413, error, {"Connection": "close"})  # the rest of the body is not read

    @app.exception_handler(TimeoutError)
    async def too_slow(_: Request, __: TimeoutError) -> JSONResponse:
        return _refused(408, f"the body did not arrive within {_BODY_S} s.", {"Connection": "close"})

    @app.exception_handler(MalformedError)
    async def malformed(_: Request, error: MalformedError) -> JSONResponse:
        return _refused(error.status, error)

    @app.exception_handler(BusyError)
    async def busy(_: Request, error: BusyError) -> JSONResponse:
        return _refused(429, error, {"Retry-After": str(error.retry_after_s)})

    @app.exception_handler(ClientDisconnect)
    async def hung_up(_: Request, __: ClientDisconnect) -> Response:
        return Response(status_code=_HUNG_UP)  # nobody hears it; it is for the metrics


def _refused(status: int, error: Exception | str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status, headers)


def _add_measuring(app: FastAPI, service: Service) -> None:
    @app.middleware("http")
    async def measure(request: Request, call_next: Callable[[Request], Any]) -> Response:
        if request.url.path != "/read":
            return await call_next(request)  # type: ignore[no-any-return]
        started = time.perf_counter()
        status = 500
        try:
            response: Response = await call_next(request)
            status = response.status_code
            return response
        finally:
            service.metrics.requests.labels(str(status)).inc()
            service.metrics.request_seconds.observe(time.perf_counter() - started)
