"""What every entry point of the project sets before any library is loaded."""

import logging
import os
import sys
import warnings

# Plates are personal data and many machines are offline, so no library reports home. A user's own setting wins.
_QUIET = {
    "DO_NOT_TRACK": "1",
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
}


def prepare(name: str) -> None:
    """Switch telemetry off and log to standard error, each line with the name of what runs."""
    for key, value in _QUIET.items():
        os.environ.setdefault(key, value)
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s {name} %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
    )
    for library in ("alembic", "mlflow", "matplotlib", "PIL", "fontTools", "httpx", "urllib3"):
        logging.getLogger(library).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=UserWarning, module="torch.*")
