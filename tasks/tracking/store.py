"""Where MLflow keeps its runs."""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

_USER = re.compile(r"(?<=://)[^\s/?#]*@")


def tracking_uri(code: Path) -> str:
    """``MLFLOW_TRACKING_URI`` without user and password, or the SQLite store beside the code.

    MLflow writes the address of a server into its errors, which end in logs. So what a user gave as
    ``http://USER:PASSWORD@HOST`` goes into the variables that MLflow has for it, of this process and those below it.
    """
    given = os.environ.get("MLFLOW_TRACKING_URI")
    if not given:
        return local_uri(code)
    parts = urlsplit(given)
    if not parts.scheme.startswith("http") or "@" not in parts.netloc:
        return given
    user, _, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    own = {"URI": urlunsplit(parts._replace(netloc=host)), "USERNAME": unquote(name), "PASSWORD": unquote(password)}
    os.environ.update({f"MLFLOW_TRACKING_{key}": value for key, value in own.items()})
    return own["URI"]


def without_users(text: str) -> str:
    """A text whose addresses name no user and no password: that of a database keeps them."""
    return _USER.sub("", text)


def local_uri(code: Path) -> str:
    """The SQLite store beside the code."""
    return f"sqlite:///{local_store(code)}/mlflow.db"


def local_store(code: Path) -> Path:
    """The folder of the SQLite store."""
    return code.resolve() / "mlruns"


def artifact_location(code: Path) -> str | None:
    """Where artifacts of a new experiment go; without a server MLflow would put them where git sees them."""
    return None if os.environ.get("MLFLOW_TRACKING_URI") else (local_store(code) / "artifacts").as_uri()
