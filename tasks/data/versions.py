"""Plates as they were at a git revision, brought back by DVC."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from acl_core.errors import AclError, DataError
from tasks import dvc_client


def resolve(workspace: Path, revision: str) -> str:
    """The commit that a revision names.

    Raises:
        DataError: The workspace is in no git repository, or the revision is not known there.
    """
    if _git(workspace, "rev-parse", "--show-toplevel") is None:
        raise DataError(f"{workspace}: in no git repository, so there is no older version. Commit its dvc.lock to git.")
    commit = _git(workspace, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if commit is None:
        raise DataError(f"{revision}: no such revision in git. `git log -- dvc.lock` in {workspace} lists some.")
    return commit.strip()


@contextmanager
def plates_of_revision(workspace: Path, commit: str, revision: str) -> Iterator[Path]:
    """A folder with the shards that a commit's ``dvc.lock`` names; it is gone afterwards.

    `dvc get --rev` does not do this here: a workspace's dvc.yaml is a link and the path of its cache is relative, and
    DVC follows neither inside of a git revision.

    Args:
        workspace: Whose plates.
        commit: Where to look.
        revision: How the user calls it.

    Raises:
        DataError: The commit knows no plates of this workspace, or they are neither in the cache nor in a remote.
    """
    out = _recorded(workspace, commit, revision)
    around = workspace / ".dvc" / "tmp"  # ignored by git and DVC, and on the disk of most caches
    if not around.parent.is_dir():
        raise DataError(f"{workspace}: no DVC repository (.dvc is missing). Run `dvc init` there.")
    around.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="acl-", dir=around) as name:
        try:
            folder = dvc_client.restore(workspace, out, Path(name))
        except AclError as error:
            raise DataError(
                f"{revision}: its plates ({out['md5']}) are neither in the cache of {workspace} nor in a remote. "
                "`dvc push` them from where they are to its default remote; this command then does a `dvc pull`. "
                f"DVC said: {error}"
            ) from error
        yield folder


def _recorded(workspace: Path, commit: str, revision: str) -> dict[str, Any]:
    """What ``dvc.lock`` of a commit says of the plates: path, hash and size."""
    text = _git(workspace, "show", f"{commit}:./dvc.lock")
    if text is None:
        raise DataError(f"{revision}: knows no dvc.lock of {workspace}. `git log -- dvc.lock` there lists who does.")
    path = dvc_client.outs(workspace, "plates")[0]
    try:
        outs: list[dict[str, Any]] = yaml.safe_load(text)["stages"]["plates"]["outs"]
        return next(out for out in outs if out["path"] == path and out["md5"])
    except (yaml.YAMLError, KeyError, TypeError, StopIteration) as error:
        raise DataError(f"{revision}: its dvc.lock of {workspace} names no {path}. Choose another revision.") from error


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, or None when it fails."""
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None
