"""What the numbers say: means over seeds, tests of the leading row against all others, agreement with the paper."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

import pandas as pd

from acl_core.statistics.paired import Difference, Spread, difference, holm, paired, spread
from tasks.tables.cells import Plan
from tasks.tables.collect import evaluated, readings
from tasks.tables.matrix import Row, Table
from tasks.tables.published import Published

BySeed = Mapping[str, Mapping[int, float]]  # of each row the value under each seed

SIGNIFICANT = 0.05
_SEED = 1  # of the bootstrap


@dataclass(frozen=True)
class Claim:
    """The leading row against another one, on plates read.

    Attributes:
        row: The other one.
        difference: Of the shares of plates read, with interval and p.
        corrected_p: By Holm, over all comparisons of the table.
    """

    row: str
    difference: Difference
    corrected_p: float

    @property
    def verdict(self) -> str:
        """``leads``, ``trails`` or ``not separable``: the interval is off 0, and the corrected test says so as well."""
        if self.corrected_p > SIGNIFICANT:
            return "not separable"
        return "leads" if self.difference.low > 0 else "trails" if self.difference.high < 0 else "not separable"


def spreads(frame: pd.DataFrame, table: str) -> dict[tuple[str, str], Spread]:
    """Mean and deviation over seeds: ``{(row, metric): spread}``."""
    own = frame[frame["table"] == table]
    return {
        (str(row), str(metric)): spread([float(v) for v in group["value"]])
        for (row, metric), group in own.groupby(["row", "metric"], sort=False)
    }


def claims(plan: Plan, table: Table) -> list[Claim]:
    """The leading row against every other one that shares plates and seeds with it, in the order of the table.

    What is given HR pictures is no rival, and neither is a row of another scale.
    """
    if table.lead is None:
        return []
    lead = table.rows[table.lead]
    ours = _readings(plan, table, lead)
    found: dict[str, Difference] = {}
    for name, row in table.rows.items():
        if name == table.lead or row.is_ceiling or row.scale != lead.scale:
            continue
        theirs = _readings(plan, table, row)
        if ours is not None and theirs is not None and not paired(ours, theirs).empty:
            found[name] = difference(ours, theirs, plan.profile.resamples, _SEED)
    corrected = holm([d.p for d in found.values()])
    return [Claim(name, d, p) for (name, d), p in zip(found.items(), corrected, strict=True)]


def _readings(plan: Plan, table: Table, row: Row) -> pd.DataFrame | None:
    found = (evaluated(plan, instance) for instance in plan.of(table, row))
    frames = [frame for e in found if e is not None and (frame := readings(e, row)) is not None]
    return pd.concat(frames, ignore_index=True) if frames else None


def by_seed(frame: pd.DataFrame, table: str, metric: str | None) -> BySeed:
    """A metric of a table: ``{row: {seed: value}}``."""
    own = frame[(frame["table"] == table) & (frame["metric"] == metric)]
    return {str(row): dict(zip(g["seed"], g["value"], strict=True)) for row, g in own.groupby("row", sort=False)}


def on_common_seeds(values: BySeed, rows: Sequence[str]) -> dict[str, float]:
    """Means of some rows over the seeds that all of them have; none without such a seed.

    Another seed is another split: a row of one seed and a row of three have met other plates.
    """
    common = _common_seeds(values, rows)
    return {row: fmean(values[row][seed] for seed in common) for row in rows} if common else {}


def _common_seeds(values: BySeed, rows: Sequence[str]) -> set[int]:
    return set.intersection(*(set(values[row]) for row in rows)) if rows else set()


def order_agreement(ours: BySeed, theirs: Mapping[str, float]) -> tuple[list[tuple[str, str]], int]:
    """Which pairs of rows stand in another order here than in the paper, and how many can be compared.

    Args:
        ours: Values of each row; two rows are compared over the seeds that both have.
        theirs: The paper's.

    Returns:
        ``(the row that is better in the paper, the other)`` of each pair that does not agree, and the number of pairs.
    """
    shared = sorted((row for row in theirs if row in ours), key=theirs.__getitem__, reverse=True)
    pairs = [(a, b) for a, b in combinations(shared, 2) if theirs[a] != theirs[b]]
    here = {pair: tuple(found.values()) for pair in pairs if (found := on_common_seeds(ours, pair))}
    return [pair for pair, (better, other) in here.items() if better <= other], len(here)


def verdict(name: str, table: Table, frame: pd.DataFrame, tested: Sequence[Claim], paper: Published) -> str:
    """A paragraph in plain words, from the numbers alone, on how ours stands to the paper's."""
    means = spreads(frame, name)
    if not means:
        return "Not run yet: nothing can be said."
    printed, has_numbers = _printed_metrics(name, table, paper), {row for row, _ in means}
    sentences = [
        *[_on_order(name, table, metric, frame, paper) for metric in printed],
        _on_lead(name, table, printed[0], frame, means, paper) if printed else "The paper has no numbers for this.",
        *_on_claims(name, table, tested, has_numbers, paper),
    ]
    missing = [row.title for key, row in table.rows.items() if key not in has_numbers]
    if missing:
        sentences.append(f"Without numbers here: {', '.join(missing)}.")
    return " ".join(sentence for sentence in sentences if sentence)


def _on_order(name: str, table: Table, metric: str, frame: pd.DataFrame, paper: Published) -> str:
    """Whether the rows stand in the paper's order by a metric, and which do not."""
    other, pairs = order_agreement(by_seed(frame, name, metric), _of_paper(name, table, metric, paper))
    if not pairs:
        return f"By {_called(metric)}, too few of the paper's rows have been run to compare their order."
    same = pairs - len(other)
    word = "agrees with" if not other else "agrees in part with" if same * 2 > pairs else "does not agree with"
    text = f"By {_called(metric)}, the order of the rows {word} the paper's: {same} of {pairs} pairs stand the same way"
    below: dict[str, list[str]] = {}
    for better, worse in other:
        below.setdefault(table.rows[better].title, []).append(table.rows[worse].title)
    said = [f"{better} is not above {', '.join(rows)} here" for better, rows in below.items()]
    return "; ".join([text, *said]) + "."


def _on_lead(
    name: str, table: Table, metric: str, frame: pd.DataFrame, means: Mapping[tuple[str, str], Spread], paper: Published
) -> str:
    """Whether the best row of the paper is ours, too, and how much of the gap both close."""
    ours = by_seed(frame, name, metric)
    theirs = _without_ceiling(table, _of_paper(name, table, metric, paper))
    rows = [row for row in theirs if row in ours]
    here, n_common = on_common_seeds(ours, rows), len(_common_seeds(ours, rows))
    if len(here) < 2:
        return ""
    best_there, best_here = max(here, key=theirs.__getitem__), max(here, key=here.__getitem__)
    title = table.rows[best_there].title
    if best_there == best_here:
        text = f"Of the paper's rows, {title} is best in both"
    else:
        text = f"The paper's best is {title}; here, of the paper's rows, it is {table.rows[best_here].title}"
    few = any(len(ours[row]) > n_common for row in rows)
    text += f" (seeds that all of them have: {n_common})." if few else "."
    closed = means.get((best_there, "gap_closed_map50"))
    printed = paper.gap_closed(name, best_there, table.scale)
    if closed is not None and printed is not None:
        text += f" {title} closes {100 * closed.mean:.1f} % of the gap in mAP here and {printed:.1f} % there."
    return text


def _on_claims(
    name: str, table: Table, tested: Sequence[Claim], has_numbers: Collection[str], paper: Published
) -> list[str]:
    """What the tests say of the leading row, and what follows from those that count.

    In a table that the paper prints, its claim rests on its own rows; elsewhere all rows count but HR.
    """
    if table.lead is None or not tested:
        return []
    title = table.rows[table.lead].title
    by = {word: [c for c in tested if c.verdict == word] for word in ("leads", "trails", "not separable")}
    said = []
    if by["leads"]:
        said.append(f"leads {_titles(table, by['leads'])} (Holm-corrected p at most 0.05)")
    if by["trails"]:
        said.append(f"reads fewer plates than {_titles(table, by['trails'])}")
    if by["not separable"]:
        open_ = [f"{table.rows[c.row].title} ({_points(c.difference)})" for c in by["not separable"]]
        said.append(f"cannot be told apart from {', '.join(open_)}")
    sentences = [f"In plates read, {title} " + "; it ".join(said) + "."]
    counts = [c for c in tested if name not in paper.tables or _is_of_paper(name, table, c.row, paper)]
    if counts:
        sentences.append(_conclusion(name, table, counts, paper))
    untested = [
        row.title
        for key, row in table.rows.items()
        if key in has_numbers and key != table.lead and not row.is_ceiling and key not in {c.row for c in tested}
    ]
    if untested:
        sentences.append(f"Not tested against: {', '.join(untested)}.")
    return sentences


def _conclusion(name: str, table: Table, counts: Sequence[Claim], paper: Published) -> str:
    seeds = min(claim.difference.n_seeds for claim in counts)
    whole = all(claim.verdict == "leads" for claim in counts)
    if name in paper.tables:
        held = "holds here against every one of its rows that was tested" if whole else "does not hold here"
        return f"So the paper's claim {held} (fewest seeds in a comparison: {seeds})."
    assert table.lead is not None  # noqa: S101 - of a table without a leading row nothing is claimed
    held = "leads" if whole else "does not lead"
    title = table.rows[table.lead].title
    return f"So {title} {held} every row that was tested (fewest seeds in a comparison: {seeds})."


def _titles(table: Table, found: Sequence[Claim]) -> str:
    return ", ".join(table.rows[claim.row].title for claim in found)


def _is_of_paper(name: str, table: Table, row: str, paper: Published) -> bool:
    return any(paper.value(name, row, metric) is not None for metric in table.columns)


def _points(d: Difference) -> str:
    return f"{100 * d.value:+.1f} points, {100 * d.low:+.1f} to {100 * d.high:+.1f}"


def _printed_metrics(name: str, table: Table, paper: Published) -> list[str]:
    """The metrics that the paper prints for the table, PSNR last: what counts is what is read."""
    there = [m for m in table.columns if any(paper.value(name, row, m) is not None for row in table.rows)]
    return sorted(there, key=lambda metric: metric == "psnr_db")


def _of_paper(name: str, table: Table, metric: str, paper: Published) -> dict[str, float]:
    return {row: value for row in table.rows if (value := paper.value(name, row, metric)) is not None}


def _without_ceiling(table: Table, values: Mapping[str, float]) -> dict[str, float]:
    return {row: value for row, value in values.items() if not table.rows[row].is_ceiling}


def _called(metric: str) -> str:
    words = {"map50": "mAP", "map50_digits": "mAP of digits", "psnr_db": "PSNR", "time_multiple": "training time"}
    return words.get(metric, metric)
