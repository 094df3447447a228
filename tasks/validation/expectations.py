"""Checks carried out by Great Expectations, which is loaded here and nowhere else: it takes five seconds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from tasks.validation.checks import Between, Check, Empty, OneOf

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.expectations.expectation import Expectation

LABEL = "label"  # column of a table that says what a row is, as a page may show it
_SHOWN = 20  # values of each failed expectation on its page


@dataclass(frozen=True)
class Broken:
    """A row that breaks a rule.

    Attributes:
        check: The rule.
        row: Index of the row in the table.
        label: What the row is, as a page may show it.
        reason: What is wrong with it.
    """

    check: Check
    row: Any
    label: str
    reason: str


@dataclass(frozen=True)
class Result:
    """A table held against its checks.

    Attributes:
        name: Of the table.
        checks: What was checked.
        broken: All rows that break a rule, in the order of the checks and of the rows.
        details: What Great Expectations found, for its page.
    """

    name: str
    checks: list[Check]
    broken: list[Broken]
    details: "ExpectationSuiteValidationResult"

    def rejected(self) -> list[Broken]:
        """Rows that are to be left out, once a reason."""
        return [b for b in self.broken if b.check.rejects]

    def told(self) -> list[Broken]:
        """Rows that are only told."""
        return [b for b in self.broken if not b.check.rejects]

    def counts(self, checks: Iterable[Check]) -> dict[str, int]:
        """Number of rows that break each check."""
        rows: dict[str, set[Any]] = {check.name: set() for check in checks}
        for b in self.broken:
            if b.check.name in rows:
                rows[b.check.name].add(b.row)
        return {name: len(found) for name, found in rows.items()}


def validate(name: str, table: pd.DataFrame, checks: list[Check]) -> Result:
    """Hold a table against its checks.

    Nothing is written and nothing is kept: the context lives in memory.

    Args:
        name: Of the table.
        table: Has the column :data:`LABEL`, and those of the checks.
        checks: Each names a column.
    """
    import great_expectations as gx
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    context = gx.get_context(mode="ephemeral", project_config=config)
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=[_expectation(c) for c in checks]))
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=name, data=asset.add_batch_definition_whole_dataframe(name), suite=suite)
    )
    details = definition.run(
        batch_parameters={"dataframe": table.assign(_row=table.index)},
        run_id=RunIdentifier(run_name=name),
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": ["_row", LABEL],
            "partial_unexpected_count": _SHOWN,
            "return_unexpected_index_query": False,
        },
    )
    by_key = {_key(check): check for check in checks}
    broken: dict[str, list[Broken]] = {key: [] for key in by_key}
    for found in details.results:
        key = found.expectation_config.meta["key"]
        broken[key] = _broken(found, by_key[key])
    return Result(name, checks, [b for rows in broken.values() for b in rows], details)


def _expectation(check: Check) -> "Expectation":
    from great_expectations import expectations as gxe

    shared: dict[str, Any] = {
        "column": check.column,
        "severity": "critical" if check.rejects else "warning",
        "meta": {"key": _key(check)},
    }
    match check.rule:
        case Between(low, high):
            return gxe.ExpectColumnValuesToBeBetween(min_value=low, max_value=high, **shared)
        case OneOf(values):
            return gxe.ExpectColumnValuesToBeInSet(value_set=list(values), **shared)
        case Empty():
            return gxe.ExpectColumnValuesToBeNull(**shared)


def _key(check: Check) -> str:
    return f"{check.name}:{check.column}"


def _broken(found: Any, check: Check) -> list[Broken]:
    """Rows that break a check.

    Raises:
        RuntimeError: The check itself failed, which must not pass for a table without flaws.
    """
    if "unexpected_index_list" not in found.result and not found.success:
        raise RuntimeError(f"check {_key(check)}: {found.exception_info}")
    rows = found.result.get("unexpected_index_list") or []
    return [Broken(check, row["_row"], row[LABEL], check.reason.format(value=row[check.column])) for row in rows]
