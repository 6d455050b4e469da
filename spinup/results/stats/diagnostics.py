"""Signs that a table does not mean what it seems to: knobs and seeds without effect, edges, gaps.

Pure: arrays and mappings in, findings out. `spinup.results.diagnostics` takes them from run tables.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from spinup.results.stats.power import POWER, detectable_in_errors
from spinup.results.stats.scores import count

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    import numpy.typing as npt

_FEWEST_VALUES = 3  # distinct returns that a curve needs before its twin is no coincidence
_FEWEST_SEEDS = 2  # for any interval
_ENOUGH_SEEDS = 5  # below, tests do not keep their level well (Colas et al. 2019)
_MOST_NAMES = 3
_SAME_BUDGET = 0.95  # of the steps: episodes of random length end a little before, or after


class Severity(Enum):
    """How much a finding takes from the table."""

    WARNING = "warning"  # a number may mean something else than it says
    NOTE = "note"  # worth knowing before the next grid


@dataclass(frozen=True)
class Finding:
    """Something that a reader of the table has to know.

    Attributes:
        kind: What was found, in one word, such as ``unconnected``.
        severity: How much it takes from the table.
        subject: The hyperparameter or variant concerned; empty where it is the whole table.
        sentence: The same in words, for people.
    """

    kind: str
    severity: Severity
    subject: str
    sentence: str


class Length(NamedTuple):
    """How far a run came.

    Attributes:
        seed: In words.
        num_rows: Rows that it logged.
        steps: Its last; NaN where unknown.
    """

    seed: str
    num_rows: int
    steps: float


class RunCurve(NamedTuple):
    """One run as far as its diagnosis goes.

    Attributes:
        variant: Name of its variant; another for each, on each task.
        seed: None where unknown.
        parameters: Every hyperparameter but the seed, hashable.
        curve: Any array that says how the run went; only compared bit by bit.
    """

    variant: str
    seed: int | None
    parameters: Mapping[str, Hashable]
    curve: npt.NDArray[np.float64]


def unconnected_parameters(runs: Sequence[RunCurve]) -> list[Finding]:
    """Hyperparameters that made no difference to the last bit: probably a knob that is not connected.

    Runs are compared that differ in one hyperparameter only, and have the same seed. Curves with fewer
    than three distinct values do not count: many a run begins, or ends, at the same return.
    """
    telling = [run for run in runs if run.seed is not None and _is_telling(run.curve)]
    names = dict.fromkeys(name for run in telling for name in run.parameters)
    findings = []
    for name in names:
        pairs = list(_pairs_apart_in(name, telling))
        if pairs and all(_is_same(one.curve, other.curve) for one, other in pairs):
            values = dict.fromkeys(str(run.parameters[name]) for pair in pairs for run in pair)
            sentence = (
                f"{name} changed nothing: runs with {_listed(list(values))} have the same curve to the "
                "last bit, seed by seed. Does the code use it?"
            )
            findings.append(Finding("unconnected", Severity.WARNING, name, sentence))
    return findings


def _pairs_apart_in(name: str, runs: Iterable[RunCurve]) -> Iterable[tuple[RunCurve, RunCurve]]:
    """Pairs of runs that differ in ``name`` and in nothing else."""
    groups: dict[Hashable, dict[Hashable, RunCurve]] = defaultdict(dict)
    for run in runs:
        if name in run.parameters:
            others = frozenset((key, value) for key, value in run.parameters.items() if key != name)
            groups[run.seed, others].setdefault(run.parameters[name], run)
    for group in groups.values():
        yield from itertools.pairwise(group.values())


def identical_seeds(runs: Sequence[RunCurve]) -> list[Finding]:
    """Variants of which two seeds have the same curve to the last bit: probably the seed is ignored."""
    findings = []
    for variant, members in _by_variant(run for run in runs if _is_telling(run.curve)).items():
        twins: dict[bytes, list[RunCurve]] = defaultdict(list)
        for run in members:
            twins[run.curve.tobytes()].append(run)
        for group in twins.values():
            if len(group) > 1:
                seeds = _listed([str(run.seed) for run in group])
                sentence = (
                    f"Seeds {seeds} of {variant} have the same curve to the last bit: they count as "
                    f"one, not as {len(group)}. Does the code use its seed?"
                )
                findings.append(Finding("same_seeds", Severity.WARNING, variant, sentence))
    return findings


def _by_variant(runs: Iterable[RunCurve]) -> dict[str, list[RunCurve]]:
    groups: dict[str, list[RunCurve]] = defaultdict(list)
    for run in runs:
        groups[run.variant].append(run)
    return groups


def _is_same(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> bool:
    # By bytes: NaN, too, is then the same as NaN.
    return one.shape == other.shape and one.tobytes() == other.tobytes()


def _is_telling(curve: npt.NDArray[np.float64]) -> bool:
    """Whether the last row of ``curve``, or all of it, has enough distinct values."""
    values = curve[-1] if curve.ndim > 1 else curve
    return np.unique(values[np.isfinite(values)]).size >= _FEWEST_VALUES


def mixed_code(
    codes: Sequence[str | None], commits: Sequence[str | None], dirty: Sequence[bool | None]
) -> list[Finding]:
    """Runs that different code has made, by the digest of the code that a run could reach, or by commit.

    Args:
        codes: Of each run, None where unknown.
        commits: Of each run, None outside git.
        dirty: Of each run: whether there were changes that were not committed.
    """
    known = {code for code in codes if code is not None}
    known_commits = {commit for commit in commits if commit is not None}
    some_dirty = sum(bool(value) for value in dirty)
    findings = []
    if len(known) > 1:
        sentence = (
            f"These runs were made by {len(known)} versions of the code: what differs may be the code. "
            "Run the older ones again, or compare runs of one version."
        )
        findings.append(Finding("mixed_code", Severity.WARNING, "", sentence))
    is_certain = len(known) == 1 and None not in codes
    if len(known_commits) > 1:
        tail = "the Python files that the runs use are the same" if is_certain else "the code may differ"
        sentence = f"These runs were made at {len(known_commits)} git commits; {tail}."
        severity = Severity.NOTE if is_certain else Severity.WARNING
        findings.append(Finding("mixed_commits", severity, "", sentence))
    if some_dirty:
        tail = "; their Python files are the same" if is_certain else ", and may differ in code"
        sentence = (
            f"{count(some_dirty, len(dirty), 'run')} had changes that were not committed{tail}: the commit "
            "alone does not bring them back."
        )
        severity = Severity.NOTE if is_certain else Severity.WARNING
        findings.append(Finding("uncommitted", severity, "", sentence))
    return findings


def seed_counts(counts: Mapping[str, tuple[int, int]]) -> list[Finding]:
    """Variants that lack results, and variants of which too few seeds have one.

    Args:
        counts: Of each variant, how many seeds have a result, and how many there are.
    """
    lacking = [f"{name} ({count(used, runs)})" for name, (used, runs) in counts.items() if used < runs]
    alone = [name for name, (used, _) in counts.items() if used < _FEWEST_SEEDS]
    few = {name: used for name, (used, _) in counts.items() if _FEWEST_SEEDS <= used < _ENOUGH_SEEDS}
    findings = []
    if lacking:
        sentence = (
            f"Runs failed, diverged, or are not finished: {_listed(lacking)}. Numbers are of the others, "
            "which may be the luckier ones."
        )
        findings.append(Finding("incomplete", Severity.WARNING, "", sentence))
    if alone:
        sentence = (
            f"Too few seeds to say anything: fewer than {_FEWEST_SEEDS} have a result for {_listed(alone)}."
        )
        findings.append(Finding("too_few_seeds", Severity.WARNING, "", sentence))
    if few:
        fewest = min(few.values())
        size = detectable_in_errors(2 * (fewest - 1)) * (2 / fewest) ** 0.5
        sentence = (
            f"{fewest} seeds show large differences only, of {size:.1f} standard deviations over seeds "
            f"(probability {POWER:g}): {_listed(list(few))}."
        )
        findings.append(Finding("few_seeds", Severity.NOTE, "", sentence))
    return findings


def unequal_lengths(lengths: Mapping[str, Sequence[Length]]) -> list[Finding]:
    """Seeds of one variant, and variants of one task, that ran for different lengths.

    Runs of as many rows had the same budget, however long their episodes were; so had those whose last
    steps differ by no more than 5 %.

    Args:
        lengths: Of each variant of one task, those of its runs that count.
    """
    findings = []
    for name, runs in lengths.items():
        longest = max(runs, key=_length, default=None)
        if longest is None:
            continue
        if short := [run for run in runs if not _is_same_budget(run, longest)]:
            early = _listed([f"seed {run.seed} ({_came_to(run)})" for run in short])
            sentence = (
                f"Runs of {name} are of different lengths: {early} ended before the longest "
                f"({_came_to(longest)}). What they came to is averaged as if they had gone on as far."
            )
            findings.append(Finding("unequal_seeds", Severity.WARNING, name, sentence))
    budgets = {name: max(runs, key=_length) for name, runs in lengths.items() if runs}
    most = max(budgets.values(), key=_length, default=None)
    if most is not None and not all(_is_same_budget(run, most) for run in budgets.values()):
        by_length = sorted(budgets, key=lambda name: _length(budgets[name]))
        # The shortest and the longest: between them there may be many.
        ends = " and ".join(f"{name} {_came_to(budgets[name])}" for name in (by_length[0], by_length[-1]))
        sentence = (
            f"Variants ran for different lengths, {ends}: what looks better may just have learnt "
            "for longer. Compare them at the same steps."
        )
        findings.append(Finding("unequal_variants", Severity.WARNING, "", sentence))
    return findings


def _length(run: Length) -> tuple[int, float]:
    return run.num_rows, run.steps if np.isfinite(run.steps) else 0.0


def _is_same_budget(one: Length, other: Length) -> bool:
    if one.num_rows == other.num_rows:
        return True
    low, high = sorted((one.steps, other.steps))
    return bool(np.isfinite(low) and np.isfinite(high) and low >= _SAME_BUDGET * high)


def _came_to(run: Length) -> str:
    rows = f"{run.num_rows:,} row{'' if run.num_rows == 1 else 's'}"
    return f"{rows}, {run.steps:,.0f} steps" if np.isfinite(run.steps) else rows


def best_at_edge(parameters: Mapping[str, Sequence[Any]], scores: Sequence[float]) -> list[Finding]:
    """Numeric hyperparameters whose best value is the lowest or the highest of those tried.

    Best both in the best variant and on average over all others, so that a knob without effect is
    seldom named. Two values are no range with an inside: three are needed.

    Args:
        parameters: Of each hyperparameter, its value in each variant; None or text makes it no number.
        scores: Of each variant; NaN where it has none. Higher is better.
    """
    returns = np.asarray(scores, dtype=np.float64)
    if not np.isfinite(returns).any():
        return []
    best = int(np.nanargmax(np.where(np.isfinite(returns), returns, np.nan)))
    findings = []
    for name, column in parameters.items():
        if not all(_is_number(value) for value in column):
            continue
        values = np.asarray(column, dtype=np.float64)
        tried = np.unique(values)
        value = values[best]
        if (
            tried.size < 3
            or value not in {tried[0], tried[-1]}
            or value != _best_on_average(values, returns)
        ):
            continue
        side = "lowest" if value == tried[0] else "highest"
        beyond = "lower" if value == tried[0] else "higher"
        sentence = (
            f"The best {name} is {column[best]!r}, the {side} that was tried: a {beyond} one may be better."
        )
        findings.append(Finding("edge", Severity.NOTE, name, sentence))
    return findings


def _best_on_average(values: npt.NDArray[np.float64], returns: npt.NDArray[np.float64]) -> float:
    has_return = np.isfinite(returns)
    tried = np.unique(values[has_return])
    means = [returns[has_return & (values == value)].mean() for value in tried]
    return float(tried[int(np.argmax(means))])


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
