"""One promotion at a time, on whatever server the registry is.

MLflow has no compare-and-set, but the name of a registered model is unique: making one with the lock's name succeeds
for one caller alone, on every server with a database behind it. A caller that was killed leaves the lock behind. So
processes of one machine and user also hold a file lock, which the system takes from the dead: whoever has it and finds
a lock of this machine knows that its owner is gone. A lock of another machine is never broken without being told to.
"""

import fcntl
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from tasks.registry.store import MODEL, Registry, RegistryError, registry_errors

LOCK = f"{MODEL}.lock"
_POLL_S = 0.2


@contextmanager
def locked(registry: Registry, wait_s: float = 60) -> Iterator[None]:
    """Hold the registry's lock inside a block.

    Args:
        registry: Whose aliases are to be moved.
        wait_s: How long to wait for another holder, in seconds.

    Raises:
        RegistryError: Another one holds it for longer; the message says who, and how to take it from the dead.
    """
    deadline = time.monotonic() + wait_s
    with _file().open("a+", encoding="utf-8") as file:
        _lock_file(file, deadline)
        _take(registry, deadline)
        try:
            yield
        finally:
            registry.remove_model(LOCK)


def _lock_file(file: TextIO, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise RegistryError("another promotion on this machine takes too long. Try again later.") from error
            time.sleep(_POLL_S)
        else:
            return


def _take(registry: Registry, deadline: float) -> None:
    owner = _owner()
    while not _made(registry, owner):
        holder = _holder(registry)
        if holder == owner:  # the file lock is ours, so whoever made it is dead
            registry.remove_model(LOCK)
        elif time.monotonic() > deadline:
            raise RegistryError(
                f"{LOCK} is held by {holder or 'somebody'}. Try again later; if nothing runs there any more, delete "
                f"the registered model {LOCK} in the MLflow UI."
            )
        else:
            time.sleep(_POLL_S)


def _made(registry: Registry, owner: str) -> bool:
    from mlflow.exceptions import MlflowException

    with registry_errors(registry.uri):
        try:
            registry.client.create_registered_model(LOCK, description=owner)
        except MlflowException as error:
            if error.error_code == "RESOURCE_ALREADY_EXISTS":
                return False
            raise
    return True


def _holder(registry: Registry) -> str:
    """Who made the lock; empty where it has just gone."""
    found: Any = registry.model(LOCK)
    return "" if found is None else str(found.description)


def _owner() -> str:
    """Equal for those alone who exclude each other by the same file."""
    return f"{_file()} on {platform.node()}"


def _file() -> Path:
    """One file for each user, whatever the registry, since a server may have many names."""
    return Path(tempfile.gettempdir()) / f"acl-registry-{os.getuid()}.lock"
