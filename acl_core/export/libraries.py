"""Libraries that only the export needs, loaded when they are used."""

import importlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

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


def compile_openvino(path: Path, settings: Mapping[str, str], shape: Sequence[int] = ()) -> Any:
    """An ONNX file, compiled by OpenVINO for the CPU; with a shape, for inputs of that shape alone.

    OpenVINO leaves the thread that compiles with a signal stack of 12 KB, on which the next Python signal handler ends
    in a segmentation fault. So that thread is one of its own.
    """
    core = need("openvino").Core()

    def compiled() -> Any:
        model = core.read_model(str(path))
        if shape:
            model.reshape(list(shape))
        return core.compile_model(model, "CPU", dict(settings))

    with ThreadPoolExecutor(1) as aside:
        return aside.submit(compiled).result()
