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
from acl_core.files import write_atomically
from acl_core.params import load_params, read_yaml
from acl_core.params_plates import PlateFormat
from acl_core.sources.archive import is_archive, stem_of
from acl_core.sources.recognise import NEEDS, recognise
from tasks.archives import bring_up_to_date, unpacked_aside

ROOT = Path(__file__).resolve().parent.parent
ROOT_NAME = "root"  # for those who cannot say "here", such as a deployment
DEFAULT_PROFILE = "cpu"  # the root's own params.yaml
IMPORTED_PROFILE = "imported"
_OTHER = "Name another workspace (--workspace NAME; in make: WORKSPACE=NAME)"


def find_workspace(name: str) -> Path:
    """The folder of a workspace: a path, a name below ``workspaces/``, or ``root``.

    Raises:
        AclError: There is none.
    """
    for folder in (ROOT,) if name == ROOT_NAME else (Path(name), ROOT / "workspaces" / name):
        if (folder / "params.yaml").is_file():
            return folder.resolve()
    raise AclError(f"{name}: no workspace there (no params.yaml). Make one with `acl new {name}`.")


def ensure_workspace(
    name: str | None, data: Path | None, profile: str | None, plate_format: PlateFormat | None = None
) -> Path:
    """The workspace that a run is asked for, made at the first call.

    Args:
        name: Its folder, or its name below ``workspaces/``; None for the root, or, where something is to be made, the
            name of the folder of plates or of the profile.
        data: Plates to import, a folder or an archive.
        profile: Whose parameters to start from; None for the usual ones.
        plate_format: That of the plates; None to recognise it.

    Raises:
        DataError: The plates are missing or of an unknown format, or the workspace holds others.
        AclError: The workspace is missing and there is nothing to make it from, or it was made from another profile.
    """
    if data is None and profile is None:
        return find_workspace(name or ".")
    if data is not None and is_archive(data):
        return _of_archive(name or stem_of(data.resolve()), data, profile, plate_format)
    if data is not None:
        _check_folder(data, plate_format)
    folder = workspace_folder(name or (data.resolve().name if data is not None else str(profile)))
    if not folder.exists():
        source = {}
        if data is not None:
            source = {"source": str(data.resolve()), "format": str(plate_format or _format_of(data))}
        usual = DEFAULT_PROFILE if data is None else IMPORTED_PROFILE
        return new_workspace(folder, profile or usual, {"plates": source})
    known = load_params(folder / "params.yaml").plates
    if data is not None and Path(known.source) != data.resolve():
        raise DataError(f"{folder} holds plates from {known.source}, not from {data}. {_OTHER}.")
    _check_made_as(folder, profile, plate_format)
    return folder


def _of_archive(name: str, archive: Path, profile: str | None, plate_format: PlateFormat | None) -> Path:
    """The workspace of an archive of plates, which is unpacked into its ``data/raw/``."""
    folder = workspace_folder(name)
    if folder.exists():
        _check_made_as(folder, profile, plate_format)
        bring_up_to_date(archive, folder, load_params(folder / "params.yaml").plates.source)
        return folder
    with unpacked_aside(archive, folder) as (plates, source):
        _check_folder(plates, plate_format)
        changes = {"source": source, "format": str(plate_format or _format_of(plates))}
        return new_workspace(folder, profile or IMPORTED_PROFILE, {"plates": changes})


def _check_made_as(folder: Path, profile: str | None, plate_format: PlateFormat | None) -> None:
    known = load_params(folder / "params.yaml").plates.format
    if plate_format not in (None, known):
        raise DataError(f"{folder} reads its plates as {known}, not as {plate_format}. {_OTHER}.")
    if profile is not None and _made_from(profile) not in (folder / "params.yaml").read_text(encoding="utf-8"):
        raise ParamsError(f"{folder} was not made from the profile {profile!r}. {_OTHER}, or edit its params.yaml.")


def workspace_folder(name: str) -> Path:
    """Where a workspace of a name lies: a path as it is, a bare name below ``workspaces/``.

    Raises:
        AclError: The name is the project's own.
    """
    if name == ROOT_NAME:
        raise AclError(f"{name} is the project itself and made already. {_OTHER}.")
    return Path(name) if "/" in name else ROOT / "workspaces" / name


def _check_folder(data: Path, wanted: PlateFormat | None) -> None:
    if not data.is_dir():
        raise DataError(f"{data}: no such folder or archive. Give plates, a folder, zip or tar.gz of them: {_needs()}.")
    if wanted is PlateFormat.SYNTHETIC:
        raise DataError(f"{wanted} plates are drawn, not imported. Give one of {', '.join(NEEDS)}.")


def _format_of(data: Path) -> PlateFormat:
    found = recognise(data)
    if found is None:
        raise DataError(f"{data}: format not recognised. It needs {_needs()}.")
    return found


def _needs() -> str:
    return "; ".join(f"{what} ({name})" for name, what in NEEDS.items())


def _made_from(profile: str) -> str:
    return f"# Made from the profile {profile!r}"


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
    merged = merge(merge(_params_seen_from(folder, ROOT), read_profile(profile)), changes or {})
    return _build(folder, f"{_made_from(profile)}; every field is explained in acl_core/params*.py.\n", merged)


def variant(base: Path, label: str, changes: dict[str, Any]) -> Path:
    """A workspace beside another one that differs in a few parameters, so that neither overwrites the other's results.

    Both share DVC's cache: what the change does not touch is restored, not run again.

    Args:
        base: The workspace whose parameters to take; what is edited there later arrives here at the next call.
        label: What is told apart, such as ``alpha0.1``; the variant is called after it.
        changes: What differs, nested as in params.yaml.
    """
    folder = ROOT / "workspaces" / f"{ROOT_NAME}-{label}" if base == ROOT else base.with_name(f"{base.name}-{label}")
    heading = f"# A variant of {base}: {label}. Written anew at each run; edit the parameters there.\n"
    params = merge(_params_seen_from(folder, base), changes)
    if not folder.exists():
        return _build(folder, heading, params)
    text = heading + _dump(params)
    write_atomically(folder / "params.yaml", lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return folder


def _params_seen_from(folder: Path, base: Path) -> dict[str, Any]:
    """The parameters of a workspace, with their relative paths as another folder sees them."""
    load_params(base / "params.yaml")  # says what is wrong with them
    raw: dict[str, Any] = read_yaml(base / "params.yaml")
    source = Path(raw["plates"]["source"])
    if not source.is_absolute():
        raw["plates"]["source"] = os.path.relpath((base / source).resolve(), folder.resolve())
    return raw | {"code": os.path.relpath(ROOT, folder.resolve())}


def _dump(params: dict[str, Any]) -> str:
    return yaml.safe_dump(params, allow_unicode=True, sort_keys=False)


def _build(folder: Path, heading: str, params: dict[str, Any]) -> Path:
    """Make a workspace beside its place and put it there when it is complete."""
    code = Path(params["code"])
    building = folder.with_name(f"{folder.name}.{os.getpid()}")
    try:
        building.mkdir(parents=True)
        (building / "params.yaml").write_text(heading + _dump(params), encoding="utf-8")
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
    raw: dict[str, Any] = read_yaml(path)
    return raw


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes`` on top; dictionaries are merged, anything else is replaced."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def _init_dvc(folder: Path, code: Path) -> None:
    """A DVC repository of its own that shares the root's cache and sends nothing home.

    It is made without git, then told of it: ``dvc init --subdir`` writes to git's index, which fails while anything
    else does, and what is committed is the user's to say.
    """
    in_git = subprocess.run(["git", "-C", str(folder), "rev-parse"], capture_output=True, check=False).returncode == 0
    commands = [
        ["init", "--no-scm"],
        ["config", "core.analytics", "false"],
        ["cache", "dir", str(code / ".dvc" / "cache")],
        *([["config", "--unset", "core.no_scm"]] if in_git else []),
    ]
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *command], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise AclError(f"{folder}: dvc {' '.join(command)} failed: {' '.join(done.stderr.split())}")
    (folder / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n", encoding="utf-8")
