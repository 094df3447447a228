"""From a journal to MLflow, event by event; what was sent is written down, so that nothing is sent twice."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.exclusive import exclusive
from tasks.tracking.journal import Event, Journal, Sent

_AT_ONCE = 100  # parameters a call that MLflow takes
_TAG = 5000  # characters
_KEY, _JOURNAL = "acl.pipeline", "acl.journal"
# What MLflow answers about a run that was deleted, or a value that it will not have. Not about users and rights, nor a
# proxy's own words: those can be put right on the server, and then all of it is sent.
_REFUSALS = ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST")
_FILE_REFUSALS = (400, 413)  # status of an upload


def is_refusal(error: Exception) -> bool:
    """Whether MLflow answered that it will not have what was sent; it would say so again and again."""
    from mlflow.exceptions import MlflowException
    from requests import HTTPError

    if isinstance(error, HTTPError):
        return error.response is not None and error.response.status_code in _FILE_REFUSALS
    return isinstance(error, MlflowException) and error.error_code in _REFUSALS


class Sender:
    """Sends journals to one MLflow.

    Args:
        client: An ``MlflowClient``.
        artifacts: Where the artifacts of a new experiment go; None for the server's choice.
    """

    def __init__(self, client: Any, artifacts: str | None) -> None:
        self._client, self._artifacts = client, artifacts

    def send(self, journal: Journal) -> None:
        """Send what of a journal was not sent yet; whatever fails leaves the rest for later."""
        sent = journal.sent
        events = journal.events()
        begin = events[0]
        for event in events[sent.n_events :]:
            sent = self._send(journal, begin, event, sent)
            sent = sent._replace(n_events=sent.n_events + 1)
            journal.note_sent(sent)

    def answers(self) -> bool:
        """Whether MLflow is there."""
        try:
            self._client.search_experiments(max_results=1)
        except Exception:  # noqa: BLE001 - whatever it is, there is no sending now
            return False
        return True

    def _send(self, journal: Journal, begin: Event, event: Event, sent: Sent) -> Sent:
        match event["do"]:
            case "begin":
                with exclusive(journal.workspace):  # stages that begin at once make one pipeline run
                    return self._begin(event)
            case _ if not sent.parent_id:  # a page of a pipeline run that was never tracked
                return sent
            case "params":
                self._params(sent.run_id, event["values"])
            case "metrics":
                self._metrics(sent.run_id, event["values"], event)
                if begin.get("to_parent"):
                    values = {f"{begin['to_parent']}{name}": value for name, value in event["values"].items()}
                    self._metrics(sent.parent_id, values, event)
            case "file":
                path = journal.file(event)
                folder = str(Path(event["path"]).parent)
                self._client.log_artifact(sent.run_id, str(path), None if folder == "." else folder)
            case "end":
                self._end(begin, sent, event)
        return sent

    def _begin(self, event: Event) -> Sent:
        """The run of a stage, below the run of its pipeline; what a call before this one made is found again."""
        experiment_id = self._experiment(event["experiment"])
        facts = event["pipeline"]
        parent = self._found(experiment_id, _KEY, facts["key"])
        if not event["child"]:
            return Sent(run_id=parent or "", parent_id=parent or "")
        if parent is None:
            parent = self._create(experiment_id, "pipeline", facts["tags"] | {_KEY: facts["key"]}, event["at_ms"])
            self._params(parent, facts["params"])
            self._dataset(parent, facts["dataset"])
        else:
            self._client.update_run(parent, status="RUNNING")
        run_id = self._found(experiment_id, _JOURNAL, event["journal"])
        if run_id is None:
            tags = event["tags"] | {"mlflow.parentRunId": parent, _JOURNAL: event["journal"]}
            run_id = self._create(experiment_id, event["stage"], tags, event["at_ms"])
        self._dataset(run_id, facts["dataset"])
        return Sent(run_id=run_id, parent_id=parent)

    def _end(self, begin: Event, sent: Sent, event: Event) -> None:
        """A pipeline run has the status of its latest stage."""
        if begin["child"]:
            for run_id in (sent.run_id, sent.parent_id):
                self._client.set_terminated(run_id, event["status"], end_time=event["at_ms"])

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self._client.create_experiment(name, self._artifacts))

    def _found(self, experiment_id: str, tag: str, value: str) -> str | None:
        runs = self._client.search_runs([experiment_id], f"tags.`{tag}` = '{value}'", max_results=1)
        return runs[0].info.run_id if runs else None

    def _create(self, experiment_id: str, name: str, tags: Mapping[str, str], at_ms: int) -> str:
        short = {key: str(value)[:_TAG] for key, value in tags.items()}
        return str(self._client.create_run(experiment_id, at_ms, short, name).info.run_id)

    def _params(self, run_id: str, values: Mapping[str, object]) -> None:
        from mlflow.entities import Param

        params = [Param(key, str(value)) for key, value in values.items()]
        for start in range(0, len(params), _AT_ONCE):
            self._client.log_batch(run_id, params=params[start : start + _AT_ONCE])

    def _metrics(self, run_id: str, values: Mapping[str, float], event: Event) -> None:
        from mlflow.entities import Metric

        metrics = [Metric(key, value, event["at_ms"], event["epoch"]) for key, value in values.items()]
        self._client.log_batch(run_id, metrics=metrics)

    def _dataset(self, run_id: str, dataset: Mapping[str, Any]) -> None:
        """The plates as an input of a run; sending it again changes nothing."""
        from mlflow.entities import Dataset, DatasetInput

        profile = json.dumps({"plates": dataset["plates"], "classes": dataset["classes"]})
        source = json.dumps({"source": dataset["source"]})
        entity = Dataset(dataset["name"], dataset["digest"][:36], "dvc", source, profile=profile)
        self._client.log_inputs(run_id, datasets=[DatasetInput(entity)])
