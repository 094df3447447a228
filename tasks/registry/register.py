"""Log a workspace's reader as a version of the registered model."""

from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, NamedTuple

import acl_core
from acl_core.errors import AclError
from acl_core.params import load_params
from acl_core.reader.card import ReaderCard, read_card
from tasks.provenance import git_commit
from tasks.registry import pyfunc_signature
from tasks.registry.model_card import model_card, summary
from tasks.registry.store import MODEL, READER_ARTIFACT, Alias, Registry, pointing_to, registry_errors
from tasks.registry.workspace_reader import one_scale, workspace_reader

# All that the reader's modules import, and MLflow to load it. torch from PyPI runs on CPU and GPU.
_REQUIREMENTS = (
    "mlflow",
    "numpy",
    "opencv-python-headless",
    "pandas",
    "pillow",
    "pydantic",
    "pyyaml",
    "safetensors",
    "torch",
    "torchvision",
    "ultralytics",
)
_RECORD = ("dvc.lock", "params.yaml")  # with these in its workspace, `dvc pull` brings back all that it was made of
_CODE = Path(__file__).with_name("pyfunc_model.py")


class Registered(NamedTuple):
    """What became of a registration.

    Attributes:
        version: Its number.
        new: False where a version of the same reader was there already.
    """

    version: str
    new: bool


def register(workspace: Path, scale: int | None = None, registry: Registry | None = None) -> Registered:
    """Package the final networks of a workspace and register them; the version becomes the challenger.

    A reader that is registered already is not registered again: it becomes the challenger, unless it is the champion.

    Raises:
        AclError: The workspace has not been run, or the registry does not answer.
    """
    scale = one_scale(load_params(workspace / "params.yaml"), scale)
    folder = workspace_reader(workspace, scale)
    card = read_card(folder)
    registry = registry or Registry()
    known = _known(registry, str(card.provenance["key"]))
    if known is None:
        text = model_card(workspace, scale, card)
        number = _log(registry, workspace, folder, card, text)
    else:
        number = known
    if registry.version_of(Alias.CHAMPION) != number:
        registry.move(Alias.CHALLENGER, number)
    return Registered(number, known is None)


def registered(workspace: Path, scale: int | None = None, registry: Registry | None = None) -> str | None:
    """The version of a workspace's final networks, as they are now; None where they are not registered.

    Raises:
        AclError: The workspace has not been run, or the registry does not answer.
    """
    card = read_card(workspace_reader(workspace, scale))
    return _known(registry or Registry(), str(card.provenance["key"]))


def requirements() -> list[str]:
    """The packages that a version declares, at the versions installed here."""
    return [f"{name}=={installed(name).partition('+')[0]}" for name in _REQUIREMENTS]


def _known(registry: Registry, key: str) -> str | None:
    with registry_errors(registry.uri):
        found = registry.client.search_model_versions(f"name = '{MODEL}' and tag.`reader_key` = '{key}'")
    return max((v.version for v in found), key=int, default=None)


def _log(registry: Registry, workspace: Path, folder: Path, card: ReaderCard, text: str) -> str:
    """Log model, card and numbers in a run of their own; the number of the new version."""
    import mlflow

    with registry_errors(registry.uri), pointing_to(registry.uri):
        experiment = mlflow.get_experiment_by_name(workspace.name)
        local = None if registry.local is None else (registry.local.resolve() / "artifacts").as_uri()
        experiment_id = experiment.experiment_id if experiment else mlflow.create_experiment(workspace.name, local)
        tags = {"stage": "register", "mlflow.source.git.commit": git_commit()}
        with mlflow.start_run(experiment_id=experiment_id, run_name="register", tags=tags) as run:
            info = mlflow.pyfunc.log_model(
                name=READER_ARTIFACT,
                python_model=str(_CODE),
                artifacts={READER_ARTIFACT: str(folder)},
                code_paths=[str(_package_folder())],
                signature=pyfunc_signature.signature(),
                input_example=pyfunc_signature.example(),
                pip_requirements=requirements(),
                model_config={"device": "auto", "allow_paths": None},
                metadata={"scale": card.scale, "classes": len(card.classes)},
            )
            mlflow.log_text(text, "model_card.md")
            mlflow.log_metrics(_numbers(card))
            for name in _RECORD:
                mlflow.log_artifact(str(workspace / name), "workspace")
        _create_model(registry)
        version = registry.client.create_model_version(
            MODEL,
            source=info.model_uri,
            run_id=run.info.run_id,
            tags=_tags(card),
            description=summary(card),
            model_id=info.model_id,
        )
    return str(version.version)


def _create_model(registry: Registry) -> None:
    from mlflow.exceptions import MlflowException

    try:
        registry.client.create_registered_model(
            MODEL, description="Reads licence plates too small to read: SR and recognizer."
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _tags(card: ReaderCard) -> dict[str, Any]:
    known = card.provenance
    return {
        "reader_key": known["key"],
        "workspace": known["workspace"],
        "scale": str(card.scale),
        "classes": str(len(card.classes)),
        "data_sha256": known["data_sha256"],
        "commit": known["commit"],
    }


def _numbers(card: ReaderCard) -> dict[str, float]:
    measured = card.provenance["calibration_on_validation"]
    return {f"validation.{name}": float(value) for name, value in measured.items() if value is not None}


def _package_folder() -> Path:
    """The code that travels: this package as it stands, not a wheel from an index that may not be there."""
    if acl_core.__file__ is None:
        raise AclError("acl_core has no folder here. Install the project with pip and try again.")
    return Path(acl_core.__file__).resolve().parent
