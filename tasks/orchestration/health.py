"""What the flow `monitor` shows and says: a table with history, and events that automations act on."""

import hashlib
import json
import re
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path

from prefect import task
from prefect.artifacts import Artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.events import emit_event
from prefect.states import Completed

from tasks.monitoring import Health, look

QUALITY_FELL = "acl.quality-fell"
PLATES_DRIFTED = "acl.plates-drifted"


@task(cache_policy=NO_CACHE, persist_result=False)
def look_at_inbox(inbox: str, workspace: Path) -> Health:
    """Read what is new with the champion, and hold pictures without labels against the training plates.

    Raises:
        AclError: See :func:`tasks.monitoring.look`.
    """
    return look(inbox, workspace)


@task(cache_policy=NO_CACHE, persist_result=False)
def publish_health(workspace: Path, health: Health) -> None:
    """Put a row on top of the table of this workspace; the server holds older ones, whichever machine wrote them."""
    key = key_of(workspace.name)
    before = Artifact.get(key)
    assert not isinstance(before, Coroutine)  # noqa: S101 - the signature is that of its async twin, too
    known = json.loads(before.data) if before is not None and isinstance(before.data, str) else []
    rows = [row_of(health, datetime.now(UTC)), *known][: health.limits.history]
    create_table_artifact(rows, key=key, description=f"{workspace.name}: the champion on new plates, newest first")


def key_of(name: str) -> str:
    """Prefect's keys have ASCII letters alone; what other letters say is left to a hash."""
    key = "monitor-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return key if name.isascii() else f"{key.rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def row_of(health: Health, now: datetime) -> dict[str, str]:
    """A look in the words of a table."""
    row = dict.fromkeys(("champion", "plates read", "95 % interval", "expected"), "-")
    quality = health.quality
    if quality is not None:
        low, high = quality.interval
        row["champion"] = f"version {quality.version}"
        row["plates read"] = f"{quality.read} of {quality.plates} ({quality.rejected} rejected)"
        row["95 % interval"] = f"{100 * low:.1f} to {100 * high:.1f} %"
        row["expected"] = f"{100 * quality.expected:.1f} %"
    drifts = ", ".join(f"{d.measure} {d.statistic:.2f}" for d in health.drift) or "-"
    said = (["quality fell"] if health.fell else []) + [f"{d.measure} drifted" for d in health.drifted]
    return {
        "time (UTC)": now.strftime("%Y-%m-%d %H:%M"),
        **row,
        "pictures without label": str(health.unlabelled),
        "drift (KS)": drifts,
        "verdict": ", ".join(said) or "nothing to say",
    }


@task(cache_policy=NO_CACHE, persist_result=False)
def tell(health: Health, workspace: str, inbox: str) -> None:
    """Emit an event for what is wrong.

    Args:
        health: What was found.
        workspace: As the run was asked for it: the run that an automation starts may be on another machine.
        inbox: As the run was asked for it.
    """
    about = {"prefect.resource.id": f"acl.workspace.{workspace}", "prefect.resource.name": workspace}
    payload = {"workspace": workspace, "inbox": inbox}
    if health.fell:
        emit_event(QUALITY_FELL, resource=about, payload=payload)
    if health.drifted:
        emit_event(PLATES_DRIFTED, resource=about, payload=payload | {"measures": [d.measure for d in health.drifted]})


def state_of(health: Health) -> "State[None]":
    """The end of a run that looked: green, with the verdict for a name."""
    row = row_of(health, datetime.now(UTC))
    name = "Quality fell" if health.fell else "Plates drifted" if health.drifted else "Well"
    return Completed(name=name, message=f"{row['verdict']}; plates read: {row['plates read']}")
