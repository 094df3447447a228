"""What every entry point of the project sets up: silence towards the outside, logs, signals, errors."""

import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from acl_core.errors import AclError

log = logging.getLogger(__name__)

# Plates are personal data and many machines are offline, so no library reports home. A user's own setting wins.
_QUIET = {
    "DO_NOT_TRACK": "true",
    "DVC_NO_ANALYTICS": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_VERBOSE": "false",
    # An MLflow server that is away must not hold training up: two tries of five seconds instead of minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "GIT_PYTHON_REFRESH": "quiet",
    # Without a server of its own a flow starts one, which takes longer than Prefect's 20 s on a busy machine.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}


def keep_quiet() -> None:
    """Switch telemetry off; some libraries look at the environment when they are loaded, so this comes first."""
    for key, value in _QUIET.items():
        os.environ.setdefault(key, value)


def prepare(name: str) -> None:
    """Switch telemetry off, log to standard error with the name of what runs, and end in order when told to end."""
    keep_quiet()
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _leave)
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s {name} %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
    )
    for library in ("alembic", "mlflow", "matplotlib", "PIL", "fontTools", "great_expectations", "httpx", "urllib3"):
        logging.getLogger(library).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=UserWarning, module="torch.*")


def _leave(number: int, _frame: object) -> None:
    """As Python does for SIGINT: clean-up runs, children end, MLflow hears of it."""
    sys.exit(128 + number)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the process with one line and an exit code for an error that a person can act on."""
    try:
        yield
    except AclError as error:
        log.error("%s", error)
        sys.exit(error.exit_code)
    except OSError as error:
        log.error("%s: %s.", error.filename or "disk", error.strerror or error)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
