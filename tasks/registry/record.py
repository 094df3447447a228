"""A decision written down where people look for it: tags, description and artifacts of the version."""

import json
import math
from dataclasses import asdict
from datetime import UTC, datetime

from tasks.registry.decision import Check, Decision, Outcome, markdown
from tasks.registry.store import MODEL, Alias, Registry, registry_errors

APPROVAL, AWAITED = "approval", "awaited"  # a tag and its value from a run's question to a person's answer
_OUTCOME = "promotion"  # the tag
_DECISION = "\n\n## Promotion\n\n"  # where the decision begins in a version's description
_MOST_DESCRIPTION = 4900  # characters; MLflow's databases hold 5,000


def write_decision(
    registry: Registry, decision: Decision, rival: str | None, plates: str, plates_read: float | None
) -> None:
    """Write on the challenger whatever was decided.

    Args:
        registry: That of the version.
        decision: Passed or held.
        rival: The version that it was held against.
        plates: Hash of the test plates.
        plates_read: Share that the challenger read; None where it could not be loaded.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    number = decision.challenger
    tags = {_OUTCOME: decision.outcome.value, "promotion_reason": decision.reason[:4000], "promotion_at": now}
    tags |= {"promotion_against": rival or "", "test_sha256": plates}
    if plates_read is not None:
        tags["plates_read"] = f"{plates_read:.4f}"
    registry.tag(number, dict(tags))
    against = f"version {rival}" if rival else "no champion"
    text = f"{now}, against {against}: **{decision.outcome.value}**. {decision.reason}\n\n{markdown(decision.verdict)}"
    version = registry.version(number)
    with registry_errors(registry.uri):
        about = (version.description or "").partition(_DECISION)[0] + _DECISION + text
        registry.client.update_model_version(MODEL, number, about[:_MOST_DESCRIPTION])
        if version.run_id:
            name = f"promotion/version-{number}-{now.replace(':', '')}"
            rows = [_row(check) for check in decision.verdict.checks]
            registry.client.log_text(version.run_id, text, f"{name}.md")
            registry.client.log_text(version.run_id, json.dumps(tags | {"checks": rows}, indent=2), f"{name}.json")


def is_settled(registry: Registry, number: str) -> bool:
    """Whether nothing is left to do for a run that nobody asked for.

    So for the champion, and for a version that was held or promoted, or for which a person has not answered. One that
    passed alone waits for the alias to move.
    """
    settled = {Outcome.HELD.value, Outcome.PROMOTED.value}
    tags = registry.version(number).tags
    asked = tags.get(APPROVAL) == AWAITED
    return registry.version_of(Alias.CHAMPION) == number or tags.get(_OUTCOME) in settled or asked


def _row(check: Check) -> dict[str, object]:
    """Plain values; JSON has no NaN."""
    return {k: str(v) if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(check).items()}
