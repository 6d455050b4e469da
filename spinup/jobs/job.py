"""One run to be done: what is called, under which name, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from spinup.fingerprint import reference
from spinup.jobs.code import code_of
from spinup.jobs.identity import identity
from spinup.jobs.mark import MARK
from spinup.rundir.config import to_json
from spinup.rundir.status import State, Status, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from spinup.jobs.call import Call
    from spinup.rundir.layout import RunDir


@dataclass(frozen=True)
class Job:
    """One run to be done.

    Attributes:
        exp_name: Name of the experiment.
        seed: Seed of the run.
        run_dir: Where everything goes that the run writes.
        data_dir: Where ``.archive`` is, for what has to make room.
        call: Thunk and arguments as the child calls them.
        parameters: The hyperparameters as they were asked for.
        num_cpu: Processes of the run.
        ablation: What an ablation has changed in this run; no part of its identity.
    """

    exp_name: str
    seed: int
    run_dir: RunDir
    data_dir: Path
    call: Call
    parameters: Mapping[str, Any] = field(default_factory=dict)
    num_cpu: int = 1
    ablation: Mapping[str, Any] | None = None

    @cached_property
    def code(self) -> dict[str, str]:
        """Hash of each project file that the run uses, by path."""
        return code_of(self.call.thunk, self.call.kwargs.values())

    @cached_property
    def identity(self) -> str:
        """Hash of what is asked: thunk, hyperparameters, seed, number of processes; not of where."""
        return identity(self.call.thunk, self.parameters, self.seed, self.num_cpu)

    @cached_property
    def config(self) -> dict[str, Any]:
        """What config.json holds to begin with."""
        mark = {} if self.ablation is None else {MARK: dict(self.ablation)}
        return {**to_json(dict(self.parameters)), **mark, "exp_name": self.exp_name, "seed": self.seed}

    @cached_property
    def description(self) -> dict[str, Any]:
        """What is asked, JSON-safe."""
        thunk = self.call.thunk
        return {
            "thunk": reference(thunk) or to_json(thunk),
            "parameters": to_json(dict(self.parameters)),
            "seed": self.seed,
            "num_cpu": self.num_cpu,
        }

    def queued(self, attempt: int = 1) -> Status:
        """The status with which attempt number ``attempt`` of this run begins."""
        return Status(
            state=State.QUEUED,
            exp_name=self.exp_name,
            seed=self.seed,
            identity=self.identity,
            code=self.code,
            attempt=attempt,
            num_cpu=self.num_cpu,
            queued_at=utc_now(),
        )
