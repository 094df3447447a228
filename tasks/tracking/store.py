"""Where MLflow keeps its runs."""

import os
from pathlib import Path


def tracking_uri(code: Path) -> str:
    """``MLFLOW_TRACKING_URI``, or the SQLite store beside the code."""
    return os.environ.get("MLFLOW_TRACKING_URI") or local_uri(code)


def local_uri(code: Path) -> str:
    """The SQLite store beside the code."""
    return f"sqlite:///{local_store(code)}/mlflow.db"


def local_store(code: Path) -> Path:
    """The folder of the SQLite store."""
    return code.resolve() / "mlruns"


def artifact_location(code: Path) -> str | None:
    """Where artifacts of a new experiment go; without a server MLflow would put them where git sees them."""
    return None if os.environ.get("MLFLOW_TRACKING_URI") else (local_store(code) / "artifacts").as_uri()
