"""A workspace's reader as a registered version: loaded by MLflow, in a clean environment, served, and by `acl read`."""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from acl_core.reader.card import read_card
from tasks import cli
from tasks.registry.model_card import model_card
from tasks.registry.register import register, requirements
from tasks.registry.store import MODEL, Alias, Registry, pointing_to
from tasks.registry.workspace_reader import workspace_reader
from tests.e2e.conftest import end_group, wait_for
from tests.plates import ROOT
from tests.readers import workspace_with_reader

pytestmark = pytest.mark.e2e

COLUMNS = ["text", "confidence", "characters", "width", "height", "scale", "sr_png", "error"]


@pytest.fixture(scope="module")
def registry(mlflow_server: str) -> Registry:
    return Registry(mlflow_server)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workspace_with_reader(tmp_path_factory.mktemp("workspace") / "toy")


@pytest.fixture(scope="module")
def version(registry: Registry, workspace: Path) -> str:
    registry.remove_model(MODEL)
    return register(workspace, None, registry).version


@pytest.fixture(scope="module")
def model(registry: Registry, version: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the version, as MLflow hands them out."""
    from mlflow.artifacts import download_artifacts

    with pointing_to(registry.uri):
        folder = tmp_path_factory.mktemp("model")
        return Path(download_artifacts(f"models:/{MODEL}@challenger", dst_path=str(folder)))


@pytest.fixture(scope="module")
def plates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three pictures, one of them broken."""
    folder = tmp_path_factory.mktemp("plates")
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (8, 16, 3), dtype=np.uint8)).save(folder / "small.png")
    Image.fromarray(rng.integers(0, 255, (80, 160, 3), dtype=np.uint8)).save(folder / "large.jpg")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def test_it_is_registered_once_with_card_and_tags(registry: Registry, version: str, workspace: Path) -> None:
    again = register(workspace, 4, registry)
    assert (again.version, again.new) == (version, False)
    assert registry.version_of(Alias.CHALLENGER) == version
    found = registry.version(version)
    assert found.tags["scale"] == "4"
    card = registry.client.list_artifacts(found.run_id)
    assert "model_card.md" in [file.path for file in card]
    record = registry.client.list_artifacts(found.run_id, "workspace")
    assert [file.path for file in record] == ["workspace/dvc.lock", "workspace/params.yaml"]


def test_files_are_safetensors_and_code_and_no_pickle(model: Path) -> None:
    files = [path for path in model.rglob("*") if path.is_file()]
    assert {"reader.json", "sr.safetensors", "recognizer.safetensors", "pyfunc_model.py"} <= {p.name for p in files}
    assert not [p for p in files if p.suffix in {".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib"}]
    declared = (model / "requirements.txt").read_text(encoding="utf-8").split()
    assert declared == requirements()
    assert all("==" in requirement for requirement in declared)


CLEAN = """
import socket, sys
def refuse(*_, **__): raise OSError("no network")
socket.socket.connect = socket.create_connection = refuse
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1])
rows = model.predict(pandas.DataFrame({"picture": sys.argv[2:]}))
import acl_core
assert acl_core.__file__.startswith(sys.argv[1]), acl_core.__file__
assert "tasks" not in sys.modules
print(rows.to_json(orient="records"))
"""


@pytest.mark.slow
def test_it_loads_in_a_clean_environment_without_network(model: Path, plates: Path, tmp_path: Path) -> None:
    """Only what the version declares is installed, from uv's cache."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.is_file():
        pytest.skip("needs uv")
    python = tmp_path / "venv/bin/python"
    (tmp_path / "overrides.txt").write_text("opencv-python; python_version < '3'\n", encoding="utf-8")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True)
    install = [uv, "pip", "install", "--quiet", "--offline", "--python", python, "-r", model / "requirements.txt"]
    done = subprocess.run([*install, "--override", tmp_path / "overrides.txt"], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"uv's cache lacks a wheel: {done.stderr.decode()[-200:]}")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "CUDA_VISIBLE_DEVICES": ""}
    command = [python, "-c", CLEAN, model, plates / "small.png", plates / "broken.png", plates / "large.jpg"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    rows = json.loads(done.stdout.decode().splitlines()[-1])
    assert [row["scale"] for row in rows] == [4, 0, 1]
    assert [row["error"] is None for row in rows] == [True, False, True]
    shutil.rmtree(tmp_path / "venv")  # 6 GB, mostly links


def test_it_is_served_and_paths_are_not_opened(model: Path, plates: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(model), "--port", str(port)]
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [*serve, "--env-manager", "local", "--workers", "1"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", process)
        encoded = base64.b64encode((plates / "small.png").read_bytes()).decode()
        sent = {"dataframe_records": [{"picture": encoded}, {"picture": str(plates / "large.jpg")}]}
        status, answer = post(port, sent | {"params": {"return_sr": True, "reject_below": 0.5}})
        assert status == 200
        rows = answer["predictions"]
        assert list(rows[0]) == COLUMNS
        assert rows[0]["scale"] == 4
        assert base64.b64decode(rows[0]["sr_png"]).startswith(b"\x89PNG")
        assert "not base64" in rows[1]["error"]
        assert post(port, {"dataframe_records": [{"photo": encoded}]})[0] == 400
        text = (ROOT / "docs/MODEL-REGISTRY.md").read_text(encoding="utf-8").replace("\\\n", " ")
        (command,) = [line for line in text.splitlines() if line.startswith("curl ")]
        own = command.replace(":5001", f":{port}").replace("plate.png", "small.png")
        done = subprocess.run(["bash", "-c", own], cwd=plates, capture_output=True, text=True, check=False)
        assert json.loads(done.stdout)["predictions"][0]["error"] is None
        pixels = np.zeros((8, 16, 3), int).tolist()
        assert post(port, {"dataframe_records": [{"picture": pixels}]})[1]["predictions"][0]["error"] is None
    finally:
        end_group(process)


def post(port: int, body: object) -> tuple[int, dict]:  # type: ignore[type-arg]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, {}


def test_acl_read_takes_workspaces_and_versions_and_says_what_failed(
    registry: Registry, version: str, workspace: Path, plates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.uri)

    def read(*arguments: object) -> tuple[int, list[dict]]:  # type: ignore[type-arg]
        done = CliRunner().invoke(cli.app, ["read", "--json", *map(str, arguments)])
        return done.exit_code, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    code, rows = read(plates, "--workspace", workspace, "--scale", 4, "--show", tmp_path / "shown")
    assert code == 4
    assert [Path(row["picture"]).name for row in rows] == ["broken.png", "large.jpg", "small.png"]
    assert [row["error"] is None for row in rows] == [False, True, True]
    assert len(list((tmp_path / "shown").glob("*.png"))) == 2
    code, same = read(plates / "*a*l*.png", plates / "large.jpg", "--model", f"models:/{MODEL}/{version}")
    assert code == 0
    assert {row["picture"]: row["text"] for row in same} == {
        row["picture"]: row["text"] for row in rows if row["error"] is None
    }


def test_the_loaded_model_takes_all_forms_at_once(model: Path, plates: Path) -> None:
    import mlflow

    loaded = mlflow.pyfunc.load_model(str(model))
    small = plates / "small.png"
    picture = np.asarray(Image.open(small))
    forms = [str(small), small.read_bytes(), base64.b64encode(small.read_bytes()).decode(), picture]
    rows = loaded.predict(pd.DataFrame({"picture": forms}))
    assert list(rows.columns) == COLUMNS
    assert rows["error"].isna().all()
    assert rows["text"].nunique() == 1


def test_what_evaluate_writes_is_what_a_card_needs(smoke: Path) -> None:
    folder = workspace_reader(smoke, 4)
    text = model_card(smoke, 4, read_card(folder))
    assert "**This model**" in text
    assert "| plate type | plates | read without a mistake, % |" in text


def test_promoting_it_for_real(
    registry: Registry, version: str, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.uri)
    done = CliRunner().invoke(cli.app, ["promote", "--workspace", str(workspace)])
    assert done.exit_code in {0, 9}, done.output  # untrained networks that may read nothing at all
    assert f"version {version}: " in done.output
    champion = registry.version_of(Alias.CHAMPION)
    assert champion == (version if done.exit_code == 0 else None)
    assert CliRunner().invoke(cli.app, ["rollback"]).exit_code != 0
