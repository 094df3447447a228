"""The registry as this project uses it: one registered model, three aliases, and a lock for those who move them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from acl_core.errors import AclError
from tasks.tracking import tracking_uri
from tasks.tracking.store import without_users
from tasks.workspace import ROOT

MODEL = "acl-plate-reader"
READER_ARTIFACT = "reader"

# A training goes on without a server that is slow (tasks/environment.py); a registration or promotion cannot.
_PATIENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "120",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
_FLUENT = threading.RLock()
_GONE = "RESOURCE_DOES_NOT_EXIST"  # MLflow's word


class Alias(StrEnum):
    """Names that move from version to version."""

    CHALLENGER = "challenger"
    CHAMPION = "champion"
    PREVIOUS = "previous"


class RegistryError(AclError):
    """The registry cannot be reached, or does not hold what was asked of it."""

    exit_code = 10


class GoneError(RegistryError):
    """The registry answers, and a version or its files are not there; they will not come back by waiting."""


class Registry:
    """A registry server or the SQLite file beside the code.

    Args:
        uri: As in ``MLFLOW_TRACKING_URI``; None for that variable's value or the local store.
    """

    def __init__(self, uri: str | None = None) -> None:
        from mlflow import MlflowClient  # 3 s

        self.uri = uri or tracking_uri(ROOT)
        self.local = None if os.environ.get("MLFLOW_TRACKING_URI") or uri else ROOT / "mlruns"
        if self.local is not None:
            self.local.mkdir(parents=True, exist_ok=True)
        self.client = MlflowClient(self.uri, os.environ.get("MLFLOW_REGISTRY_URI") or self.uri)

    def version_of(self, alias: Alias) -> str | None:
        """The version that bears an alias; None where none does, be it that its version was deleted."""
        found = self.model()
        return None if found is None else found.aliases.get(alias.value)

    def model(self, name: str = MODEL) -> Any:
        """A registered model, or None."""
        with registry_errors(self.uri):
            return _or_none(lambda: self.client.get_registered_model(name))

    def remove_model(self, name: str) -> None:
        """Delete a registered model; nothing happens where there is none."""
        with registry_errors(self.uri):
            _or_none(lambda: self.client.delete_registered_model(name))

    def version(self, number: str) -> Any:
        """A version by its number.

        Raises:
            RegistryError: There is none; it may have been deleted.
        """
        found = self._found(number)
        if found is None:
            raise RegistryError(f"{MODEL} has no version {number}; it may have been deleted. See the registry.")
        return found

    def exists(self, number: str) -> bool:
        """Whether there is such a version."""
        return self._found(number) is not None

    def _found(self, number: str) -> Any:
        with registry_errors(self.uri):
            return _or_none(lambda: self.client.get_model_version(MODEL, number))

    def tag(self, number: str, values: dict[str, object]) -> None:
        """Write tags of a version."""
        with registry_errors(self.uri):
            for key, value in values.items():
                self.client.set_model_version_tag(MODEL, number, key, str(value))

    def move(self, alias: Alias, number: str) -> None:
        """Let an alias point to a version: one write in one transaction of the server, which a reader sees or not."""
        with registry_errors(self.uri):
            self.client.set_registered_model_alias(MODEL, alias.value, number)

    def fetch(self, uri: str, folder: Path) -> Path:
        """Download the packaged reader of ``models:/NAME/VERSION`` or ``models:/NAME@ALIAS`` into a folder.

        Raises:
            GoneError: There is no such version, or its files are gone.
            RegistryError: They could not be had this time.
        """
        from mlflow.artifacts import download_artifacts

        with registry_errors(self.uri), pointing_to(self.uri):
            found = Path(download_artifacts(uri, dst_path=str(folder)))
        readers = sorted(found.glob("artifacts/*/reader.json"))
        if not readers:
            raise GoneError(f"{uri}: holds no packaged reader. Register one with `acl register`.")
        return readers[0].parent


@contextmanager
def registry_errors(uri: str) -> Iterator[None]:
    """Wait longer than a training would, and turn whatever MLflow raises into one line that names the registry."""
    from mlflow.exceptions import MlflowException

    try:
        with _environment(_PATIENT):
            yield
    except MlflowException as error:
        said = " ".join(without_users(str(error)).split())[:300]
        kind = GoneError if error.error_code == _GONE else RegistryError
        raise kind(f"registry {without_users(uri)}: {said}") from error
    except OSError as error:
        said = f"{error.strerror or error} ({error.filename})"
        raise RegistryError(f"registry {without_users(uri)}: {said}") from error


@contextmanager
def pointing_to(uri: str) -> Iterator[None]:
    """Let MLflow's fluent functions speak to a server inside a block; they know of no other way.

    Their setting is the process's own, so one thread at a time is inside.
    """
    import mlflow

    with _FLUENT:
        before = os.environ.get("MLFLOW_TRACKING_URI")  # MLflow keeps its setting there too
        mlflow.set_tracking_uri(uri)
        try:
            yield
        finally:
            mlflow.set_tracking_uri(before or "")  # empty: not set
            if before is None:
                os.environ.pop("MLFLOW_TRACKING_URI", None)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Other environment variables inside a block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _or_none(ask: Any) -> Any:
    """The answer, or None where the server says that there is no such thing."""
    from mlflow.exceptions import MlflowException

    try:
        return ask()
    except MlflowException as error:
        if error.error_code == _GONE:
            return None
        raise
