"""What an operator does: a real server, deployments and a real worker."""

import os
from pathlib import Path
from uuid import UUID

import pytest
from prefect.exceptions import PrefectHTTPStatusError

from tests.e2e.browser import browse, needs_browser
from tests.e2e.prefect_server import Prefect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_a_deployment_runs_every_stage_and_asks_the_gate(prefect: Prefect, trained: tuple[Path, UUID]) -> None:
    tasks = prefect.tasks(trained[1])
    assert {"plates", "validate", "phase1@4", "evaluate@4", "report"} <= set(tasks)
    released = [task.state_name for name, task in tasks.items() if name.startswith("promote")]
    assert released == ["Held"]  # toy networks read nothing, and the floor says so


@pytest.mark.parametrize("promote", [False, True])
def test_a_nightly_run_with_nothing_new_is_green_and_short(
    prefect: Prefect, trained: tuple[Path, UUID], promote: bool
) -> None:
    run_id = prefect.ask("retrain/retrain", workspace=str(trained[0]), promote=promote)
    run = prefect.wait(run_id)
    assert prefect.state(run_id) == "Nothing new"
    assert run.total_run_time.total_seconds() < (60 if promote else 30)  # MLflow alone takes seconds to load
    assert "phase1@4" not in prefect.tasks(run_id)


def test_a_parameter_that_is_no_name_is_refused_before_a_run_is_made(prefect: Prefect) -> None:
    before = prefect.runs("train/train")
    with pytest.raises(PrefectHTTPStatusError, match="does not match"):
        prefect.ask("train/train", workspace="mine; touch /tmp/stolen")
    assert prefect.runs("train/train") == before


def test_a_run_shows_plan_results_pictures_and_where_to_look_further(
    prefect: Prefect, trained: tuple[Path, UUID]
) -> None:
    shown = prefect.artifacts(trained[1])
    assert {"plan", "results", "pictures", "data-docs", "promotion", "progress-phase1-4"} <= set(shown)
    assert "| Phase 2 |" in shown["results"]
    assert "data:image/png;base64," in shown["pictures"]
    assert (trained[0] / "reports/data-docs/index.html").as_uri() in shown["data-docs"]


@needs_browser
def test_the_run_page_opens_in_a_browser(
    prefect: Prefect, trained: tuple[Path, UUID], tmp_path_factory: pytest.TempPathFactory
) -> None:
    shot = Path(os.environ.get("SCREENSHOTS", tmp_path_factory.mktemp("screenshots"))) / "run.png"
    address = f"http://127.0.0.1:{prefect.port}/runs/flow-run/{trained[1]}"
    page = browse(address, "--virtual-time-budget=20000", f"--screenshot={shot}", "--dump-dom")
    shown = ["Completed", f"{len(prefect.tasks(trained[1]))} Task runs"]  # the stages are drawn, not written
    assert [text for text in shown if text not in page] == []
    assert shot.stat().st_size > 20_000
