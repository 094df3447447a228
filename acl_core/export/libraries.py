"""Libraries that only the export needs, loaded when they are used."""

import importlib
from types import ModuleType

from acl_core.errors import AclError


def need(name: str) -> ModuleType:
    """A module of a library that may be missing.

    Raises:
        AclError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        library = name.partition(".")[0]
        raise AclError(f"{library}: not installed, and needed here. Install it: pip install {library}.") from error
