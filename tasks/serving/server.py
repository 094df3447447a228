"""`acl serve`: load a reader, answer until told to stop, answer what is left, and end."""

import logging
import signal
import socket

import uvicorn

from acl_core.errors import AclError
from tasks.registry.source import source_of
from tasks.serving.app import make_app
from tasks.serving.current import Current, Follower, load
from tasks.serving.service import Service, Settings

log = logging.getLogger(__name__)

_GRACE_S = 60  # for requests that are still coming in; what is in the queue is read in any case
_LOCAL = {"127.0.0.1", "localhost", "::1"}


def serve(
    workspace: str, scale: int | None, model: str | None, device: str, host: str, port: int, settings: Settings
) -> None:
    """Serve a reader until SIGTERM or Ctrl-C.

    Raises:
        AclError: There is no such reader, or the address is taken.
    """
    listening = _listen(host, port)
    with listening:
        source = source_of(workspace, scale, model, device)
        service = Service(Current(load(source, source.name())), settings)
        if source.moves:
            service.follower = Follower(service.current, source, settings.poll_s, service.metrics.observe_change)
        config = uvicorn.Config(
            make_app(service),
            log_config=None,
            access_log=False,  # /metrics counts; lines a request would name callers
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        if host not in _LOCAL:
            log.warning("%s is open to the network and asks nobody for a name; put a proxy before it", host)
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{listening.getsockname()[1]}"
        log.info("%s reads with %s; Ctrl-C ends it", address, service.current.loaded.name)
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # uvicorn takes it from here and raises it again at its end
        uvicorn.Server(config).run(sockets=[listening])
    log.info("stopped; all that was asked is answered")


def _listen(host: str, port: int) -> socket.socket:
    """Take the address before a reader is loaded, which takes seconds; calls that come meanwhile wait."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise AclError(f"{host}:{port}: {error.strerror}. Choose another with --host and --port.") from error
