"""Which column is what: the names that steps and returns usually have, and names that are free."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spinup.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

STEPS = "steps"
RETURN = "return"
#: Time since the start of the run, in seconds; read for the run table only.
SECONDS = "_seconds"

#: What comes before a table's own columns, so that no column of a file can have these names.
IDENTITY = ("exp_name", "seed", "directory")
FIRST = (*IDENTITY, STEPS, RETURN)

# Of several that a table has, the first here counts. Test returns come first, as Spinning Up's own
# plotter takes them (its column `Performance`); the steps of training are what everybody plots along.
_USUAL: dict[str, tuple[str, ...]] = {
    STEPS: (
        "TotalEnvInteracts",
        "time/total_timesteps",
        "total_timesteps",
        "global_step",
        "steps",
        "timesteps_total",
        "num_env_steps_sampled",
        "step",
    ),
    RETURN: (
        "AverageTestEpRet",
        "AverageEpRet",
        "EpRet",
        "rollout/ep_rew_mean",
        "charts/episodic_return",
        "ep_rew_mean",
        "eprewmean",
        "episode_reward_mean",
        "episodic_return",
        "episode_return",
        "return",
        "r",
    ),
    SECONDS: ("Time", "time/time_elapsed", "time_elapsed", "time_total_s", "t"),
}


@dataclass(frozen=True)
class ColumnMap:
    """From the names in files to ``steps`` and ``return``.

    Attributes:
        added: What was added to the usual names, as in ``{"eval/score": "return"}``; it comes first.
    """

    added: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, role in self.added.items():
            if role not in {STEPS, RETURN}:
                raise RecordError(
                    f"A column can be read as 'steps' or as 'return', not as {role!r}. "
                    f"Write it as columns={{{name!r}: 'return'}}."
                )

    def find(self, role: str, header: Iterable[str]) -> str | None:
        """The name in ``header`` of what is called ``role`` here, if it is there."""
        there = set(header)
        names = [name for name, meaning in self.added.items() if meaning == role]
        return next((name for name in (*names, *_USUAL[role]) if name in there), None)


@dataclass(frozen=True)
class Selection:
    """Which columns to read.

    Attributes:
        columns: Names as they are in the curves, or None for all.
        names: What is ``steps``, and what is ``return``.
        texts: Columns that stay text though a table has only numbers in them: another one has not.
    """

    columns: tuple[str, ...] | None = None
    names: ColumnMap = field(default_factory=ColumnMap)
    texts: frozenset[str] = frozenset()

    def wants(self, column: str) -> bool:
        """Whether ``column`` is among those to read."""
        return column != SECONDS if self.columns is None else column in self.columns

    def roles(self, header: Sequence[str]) -> dict[str, str]:
        """For each role that is wanted and there, the free name of its column."""
        free = dict(zip(reversed(header), reversed(free_names(header)), strict=True))
        found = {role: self.names.find(role, header) for role in _USUAL if self.wants(role)}
        return {role: free[name] for role, name in found.items() if name is not None}

    def of(self, header: Sequence[str]) -> list[str]:
        """Free names of the columns to read from a table with this header; never none of some."""
        names = free_names(header)
        if self.columns is None:
            return names
        wanted = {*self.columns, *self.roles(header).values()}
        # One at least: the table's rows count also where none of its columns is asked for.
        return [name for name in names if name in wanted] or names[:1]


def free_names(header: Iterable[str]) -> list[str]:
    """Names of a table's columns that differ from each other and from those that come before them."""
    names = dict.fromkeys(FIRST)
    repeats: Counter[str] = Counter()
    for name in map(encodable, header):
        free = name
        while free in names:
            repeats[name] += 1
            free = f"{name} (progress{f' {repeats[name]}' if repeats[name] > 1 else ''})"
        names[free] = None
    return list(names)[len(FIRST) :]


def encodable(text: str) -> str:
    """``text`` with what UTF-8 cannot hold, such as an undecodable byte of a path, escaped."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
