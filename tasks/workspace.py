"""Workspaces: folders with parameters, data, models and reports of their own, run by the same pipeline.

The root of the project is the default workspace; ``workspaces/NAME/`` hold the user's other plates and profiles. Each
is a DVC repository of its own with the root's cache, so a broken one cannot stop another, and two can run at once.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from acl_core.errors import AclError, DataError, ParamsError
from acl_core.params import PlateFormat, load_params
from acl_core.sources.yolo import is_yolo

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PROFILE = "cpu"  # the root's own params.yaml
IMPORTED_PROFILE = "imported"


def find_workspace(name: str) -> Path:
    """The folder of a workspace: a path, or a name below ``workspaces/``.

    Raises:
        AclError: There is none.
    """
    for folder in (Path(name), ROOT / "workspaces" / name):
        if (folder / "params.yaml").is_file():
            return folder.resolve()
    raise AclError(f"{name}: no workspace there (no params.yaml). Make one with `acl new {name}`.")


def workspace_for_data(data: Path, profile: str) -> Path:
    """The workspace of a folder of plates, made at the first call.

    Raises:
        DataError: The folder is missing or its format is not known.
    """
    if not data.is_dir():
        raise DataError(f"{data}: no such folder. Give the folder that holds images/, labels/ and classes.txt.")
    if not is_yolo(data):
        raise DataError(f"{data}: format not recognised. A YOLO folder has images/, labels/ and classes.txt.")
    folder = ROOT / "workspaces" / data.resolve().name
    if not folder.exists():
        source = {"source": str(data.resolve()), "format": PlateFormat.YOLO.value}
        return new_workspace(folder, profile, {"plates": source})
    known = load_params(folder / "params.yaml").plates.source
    if Path(known) != data.resolve():
        raise DataError(f"{folder} holds plates from {known}, not from {data}. Rename one of the folders.")
    return folder


def new_workspace(folder: Path, profile: str, changes: dict[str, Any] | None = None) -> Path:
    """Make a workspace.

    Args:
        folder: Where; it must not exist.
        profile: A file of ``profiles/`` (what it changes against the root's params.yaml), or ``cpu`` for none.
        changes: What to change on top, nested as in params.yaml.

    Raises:
        AclError: The folder exists, or the profile does not.
    """
    if folder.exists():
        raise AclError(f"{folder}: exists already. Run it with `acl run --workspace {folder}`, or choose another name.")
    code = Path(os.path.relpath(ROOT, folder.resolve()))
    base = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    base["plates"]["source"] = str(code / base["plates"]["source"])
    merged = merge(merge(base, read_profile(profile)), {"code": str(code)} | (changes or {}))
    text = f"# Made from the profile {profile!r}; every field is explained in acl_core/params.py.\n"
    text += yaml.safe_dump(merged, allow_unicode=True, sort_keys=False)
    building = folder.with_name(f"{folder.name}.unfinished")
    try:
        building.mkdir(parents=True)
        (building / "params.yaml").write_text(text, encoding="utf-8")
        load_params(building / "params.yaml")
        (building / "dvc.yaml").symlink_to(code / "dvc.yaml")
        shutil.copyfile(ROOT / "workspaces" / "gitignore", building / ".gitignore")
        _init_dvc(building, code)
        building.replace(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder


def read_profile(name: str) -> dict[str, Any]:
    """What a profile changes against the root's params.yaml.

    Raises:
        ParamsError: There is no such profile.
    """
    if name == DEFAULT_PROFILE:
        return {}
    path = ROOT / "profiles" / f"{name}.yaml"
    if not path.is_file():
        known = sorted(p.stem for p in (ROOT / "profiles").glob("*.yaml"))
        raise ParamsError(f"profile {name!r} is not known. Choose one of {', '.join([DEFAULT_PROFILE, *known])}.")
    raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return raw


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes`` on top; dictionaries are merged, anything else is replaced."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def _init_dvc(folder: Path, code: Path) -> None:
    """A DVC repository of its own that shares the root's cache and sends nothing home."""
    in_git = subprocess.run(["git", "-C", str(folder), "rev-parse"], capture_output=True, check=False).returncode == 0
    dvc = [sys.executable, "-m", "dvc"]
    for command in (
        ["init", "--quiet", "--subdir" if in_git else "--no-scm"],
        ["config", "core.analytics", "false"],
        ["cache", "dir", str(code / ".dvc" / "cache")],
    ):
        done = subprocess.run([*dvc, *command], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AclError(f"{folder}: dvc {command[0]} failed: {' '.join(done.stderr.split())}")
