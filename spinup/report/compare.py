"""Two sets of runs side by side: which variants are the same, what differs, and whether that mattered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl

from spinup.report.origin import origin_of
from spinup.report.verdicts import difference_words
from spinup.report.words import listed, many, value_words
from spinup.results.groups import FINISHED
from spinup.results.hyperparameters import text_of
from spinup.results.stats.comparison import Verdict, compare
from spinup.results.stats.intervals import estimate
from spinup.results.stats.scores import count
from spinup.results.table import check_seeds
from spinup.results.variants import varying

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from spinup.results.runset import RunSet
    from spinup.results.stats.comparison import Comparison
    from spinup.results.variants import Variant

    _Key: TypeAlias = tuple[str, ...]

_ABSENT = object()


@dataclass(frozen=True)
class Pair:
    """A variant that both have.

    Attributes:
        name: What it is called, in the second set.
        other_name: In the first.
        before: Mean over the seeds of the first, and the ends of its 95 % interval.
        after: The same of the second.
        found: The second against the first.
    """

    name: str
    other_name: str
    before: tuple[float | None, float | None, float | None]
    after: tuple[float | None, float | None, float | None]
    found: Comparison


@dataclass(frozen=True)
class Change:
    """Something that has one value in the first set and another in the second.

    Attributes:
        name: A hyperparameter, a file, or a package.
        before: In words; empty where the first has it not.
        after: The same of the second.
    """

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class SideBySide:
    """What two sets of runs have in common, and what not.

    Attributes:
        pairs: Variants that both have, in the order of the second.
        only_before: Names of variants that the first alone has.
        only_after: Names of variants that the second alone has.
        settings: Hyperparameters that differ between the two variants of a pair.
        code: Commits, and files of the code that differ.
        packages: Packages whose versions differ, and the interpreter's.
    """

    pairs: tuple[Pair, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    settings: tuple[Change, ...]
    code: tuple[Change, ...]
    packages: tuple[Change, ...]

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        if not self.pairs:
            return "No variant of the one has the same hyperparameters as one of the other."
        if len(self.pairs) == 1:
            found = self.pairs[0].found
            seeds = count(found.num_used, found.num_runs)
            others = count(found.num_baseline_used, found.num_baseline_runs)
            return f"B is {difference_words(found)}; {seeds}, and {others} of A."
        counts = {verdict: self._count(verdict) for verdict in Verdict}
        parts = [
            f"better in {counts[Verdict.BETTER]}",
            f"worse in {counts[Verdict.WORSE]}",
            f"not told apart in {counts[Verdict.WITHIN_NOISE] + counts[Verdict.UNCLEAR]}",
            f"the same for every seed in {counts[Verdict.NO_EFFECT]}",
            f"not judged in {counts[Verdict.TOO_FEW]}, for too few seeds",
        ]
        said = [part for part in parts if " in 0" not in part]
        return f"Of {many(len(self.pairs), 'variant')} that both have, B is {', '.join(said)}."

    def _count(self, verdict: Verdict) -> int:
        return sum(pair.found.verdict is verdict for pair in self.pairs)


def side_by_side(before: RunSet, after: RunSet, *, column: str = "last") -> SideBySide:
    """Compare each variant of ``after`` with that of ``before`` which has the same hyperparameters.

    The same are two variants if they agree in all that varies within either set. What is constant in each
    may differ between them: it is what is compared. Names count only where hyperparameters do not tell
    the variants of a set apart.

    Args:
        before: The first, such as yesterday's code, or the baseline.
        after: The second.
        column: Of the run table: score of a run, higher is better.

    Raises:
        RecordError: A seed of a variant is there twice.
    """
    ours, theirs = _keyed(before, after)
    shared = [key for key in theirs if key in ours]
    scores = [_scores(runs, column) for runs in (before, after)]
    pairs = [(ours[key], theirs[key]) for key in shared]
    found = compare(
        [_of(other, scores[1]) for _, other in pairs],
        [_of(one, scores[0]) for one, _ in pairs],
        rng=np.random.default_rng(0),
    )
    return SideBySide(
        pairs=tuple(
            Pair(other.name, one.name, _mean(_of(one, scores[0])), _mean(_of(other, scores[1])), comparison)
            for (one, other), comparison in zip(pairs, found, strict=True)
        ),
        only_before=tuple(one.name for key, one in ours.items() if key not in theirs),
        only_after=tuple(one.name for key, one in theirs.items() if key not in ours),
        settings=tuple(_settings(pairs)),
        code=tuple(_code(before, after)),
        packages=tuple(_packages(before, after)),
    )


def frame_of(found: SideBySide) -> pl.DataFrame:
    """The pairs as a frame: ``variant``, means with intervals, difference, p, verdict."""
    rows = [
        {
            "variant": pair.name,
            "variant_before": pair.other_name,
            "before": pair.before[0],
            "before_low": pair.before[1],
            "before_high": pair.before[2],
            "after": pair.after[0],
            "after_low": pair.after[1],
            "after_high": pair.after[2],
            "difference": pair.found.difference,
            "difference_low": pair.found.low,
            "difference_high": pair.found.high,
            "p": pair.found.p,
            "p_holm": pair.found.p_holm,
            "detectable": pair.found.detectable,
            "test": pair.found.test,
            "num_used_before": pair.found.num_baseline_used,
            "num_runs_before": pair.found.num_baseline_runs,
            "num_used": pair.found.num_used,
            "num_runs": pair.found.num_runs,
            "verdict": pair.found.verdict.value,
        }
        for pair in found.pairs
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _keyed(before: RunSet, after: RunSet) -> tuple[dict[_Key, Variant], dict[_Key, Variant]]:
    """The variants of both by what tells them apart; equal for those that are to be compared."""
    sets = before.variants, after.variants
    names = list(
        dict.fromkeys(name for variants in sets for name in varying(v.hyperparameters for v in variants))
    )
    # What one variant of a set has and another has not varies too.
    for variants in sets:
        for name in dict.fromkeys(key for v in variants for key in v.hyperparameters):
            if name not in names and not all(name in v.hyperparameters for v in variants):
                names.append(name)
    plain = tuple({_key(variant, names): variant for variant in variants} for variants in sets)
    if all(len(keyed) == len(variants) for keyed, variants in zip(plain, sets, strict=True)):
        return plain[0], plain[1]
    named = [{(v.exp_name, *_key(v, names)): v for v in variants} for variants in sets]
    return named[0], named[1]


def _key(variant: Variant, names: Iterable[str]) -> _Key:
    return tuple(
        text_of(variant.hyperparameters[name]) if name in variant.hyperparameters else "" for name in names
    )


def _scores(runs: RunSet, column: str) -> dict[str, float]:
    """The score of each run by its directory; NaN where it has none, or is not finished."""
    return {
        run.path: float(score) if score is not None and run.state in FINISHED else float("nan")
        for run, score in zip(runs.runs, runs.table[column].to_list(), strict=True)
    }


def _of(variant: Variant, scores: Mapping[str, float]) -> dict[Hashable, float]:
    frame = {
        "exp_name": [variant.name] * len(variant.runs),
        "seed": variant.seeds,
        "directory": [run.path for run in variant.runs],
    }
    check_seeds(
        pl.DataFrame(frame, schema={"exp_name": pl.String, "seed": pl.Int64, "directory": pl.String})
    )
    return {run.path if run.seed is None else run.seed: scores[run.path] for run in variant.runs}


def _mean(scores: Mapping[Hashable, float]) -> tuple[float | None, float | None, float | None]:
    found = estimate(list(scores.values()), rng=np.random.default_rng(0))
    return found.value, found.low, found.high


def _settings(pairs: Sequence[tuple[Variant, Variant]]) -> Iterable[Change]:
    """The hyperparameters in which the two of a pair differ."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for one, other in pairs:
        for key in dict.fromkeys([*one.hyperparameters, *other.hyperparameters]):
            values = [v.hyperparameters.get(key, _ABSENT) for v in (one, other)]
            texts = ["" if value is _ABSENT else text_of(value) for value in values]
            if texts[0] != texts[1]:
                sides = found.setdefault(key, ({}, {}))
                for side, value in zip(sides, values, strict=True):
                    if value is not _ABSENT:
                        side[value_words(value)] = None
    for key, (here, there) in found.items():
        yield Change(key, listed(here), listed(there))


def _code(before: RunSet, after: RunSet) -> Iterable[Change]:
    commits = [listed(_commits(runs)) for runs in (before, after)]
    if commits[0] != commits[1]:
        yield Change("commit", *commits)
    here, there = (_files(runs) for runs in (before, after))
    for path in sorted({*here, *there}):
        if here.get(path) != there.get(path) and here and there:
            yield Change(path, *(listed(sorted(files.get(path, ()))) for files in (here, there)))


def _commits(runs: RunSet) -> list[str]:
    rows = runs.table.select("commit", "is_dirty").unique(maintain_order=True).iter_rows()
    return [commit[:12] + (" with changes" if is_dirty else "") for commit, is_dirty in rows if commit]


def _files(runs: RunSet) -> dict[str, set[str]]:
    """The hashes, cut short, that each file of the code had."""
    found: dict[str, set[str]] = {}
    for run in runs:
        code: Any = run.status.get("code")
        for path, digest in code.items() if isinstance(code, dict) else ():
            found.setdefault(str(path), set()).add(str(digest)[:12])
    return found


def _packages(before: RunSet, after: RunSet) -> Iterable[Change]:
    origins = [origin_of(runs.runs) for runs in (before, after)]
    machines = [listed(origin.machines, most=2) for origin in origins]
    if machines[0] != machines[1] and all(machines):
        yield Change("machine", *machines)
    versions = [dict(origin.packages or {}) for origin in origins]
    if all(versions):
        for name in sorted({*versions[0], *versions[1]}):
            here, there = (own.get(name, "") for own in versions)
            if here != there:
                yield Change(name, here, there)
