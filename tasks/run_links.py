"""Where the runs of a workspace are to be seen on an MLflow server."""

from tasks.registry.store import Registry, registry_errors
from tasks.tracking.store import without_users

_LOOKED_AT = 200  # newest runs; a pipeline has fewer trainings by far


def latest_runs(server: str, experiment: str) -> dict[str, str]:
    """Address of the newest run of each stage, for a browser.

    Args:
        server: Address of the MLflow server.
        experiment: Its experiment, which bears the name of the workspace.

    Raises:
        RegistryError: The server does not answer.
    """
    registry = Registry(server)
    with registry_errors(server):
        known = registry.client.get_experiment_by_name(experiment)
        if known is None:
            return {}
        runs = registry.client.search_runs([known.experiment_id], max_results=_LOOKED_AT)  # the newest first
    page = f"{without_users(server).rstrip('/')}/#/experiments/{known.experiment_id}/runs"
    found: dict[str, str] = {}
    for run in runs:
        if stage := run.data.tags.get("stage"):
            found.setdefault(stage, f"{page}/{run.info.run_id}")
    return found
