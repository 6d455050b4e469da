"""Spinning Up's Run Utils: ExperimentGrid, call_experiment and setup_logger_kwargs."""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from spinup import user_config
from spinup.errors import ExperimentFailed, GridFailed, SettingError, SpinupError
from spinup.grid import Grid
from spinup.jobs.make import Place, check_data_dir, check_path, make_job
from spinup.jobs.payload import check_picklable
from spinup.rundir.layout import RunDir
from spinup.rundir.record import RunRecord
from spinup.rundir.status import State
from spinup.utils import announce
from spinup.utils.grid_plan import plan_grid

if TYPE_CHECKING:
    from collections.abc import Callable

    from spinup.jobs.job import Job

__all__ = ["ExperimentGrid", "call_experiment", "setup_logger_kwargs"]

DataDir = str | os.PathLike[str] | None


def setup_logger_kwargs(
    exp_name: str,
    seed: int | None = None,
    data_dir: DataDir = None,
    datestamp: bool = False,  # noqa: FBT001, FBT002 - the specification's signature
) -> dict[str, Any]:
    """Where a logger writes: ``output_dir`` and ``exp_name``, to be given to it as keywords.

    Args:
        exp_name: Name of the experiment.
        seed: Seed of the run; without one, the directory is that of the experiment.
        data_dir: Where results go; ``DEFAULT_DATA_DIR`` of `spinup.user_config` by default.
        datestamp: Put date and time into the directories' names.

    Returns:
        ``output_dir`` is ``data_dir/exp_name``, with a seed ``data_dir/exp_name/exp_name_s[seed]``, with
        a date stamp ``data_dir/YYYY-MM-DD_exp_name/YYYY-MM-DD_HH-MM-SS_exp_name_s[seed]``.

    Raises:
        UnsafePath: ``exp_name`` would lead out of ``data_dir``, or ``seed`` is no integer.
    """
    output_dir = _place(data_dir, is_stamped=datestamp).output_dir(exp_name, seed)
    return {"output_dir": output_dir, "exp_name": exp_name}


def call_experiment(
    exp_name: str,
    thunk: Callable[..., Any],
    seed: int = 0,
    num_cpu: int | str = 1,
    data_dir: DataDir = None,
    datestamp: bool = False,  # noqa: FBT001, FBT002 - the specification's signature
    **kwargs: Any,
) -> RunRecord:
    """Run ``thunk(**kwargs)`` in a process of its own, and give the record of that run.

    A *thunk* is a function that is called once, with the hyperparameters of one run; Spinning Up's word.

    The thunk also gets ``seed``, ``logger_kwargs`` and, where there is an ``env_name``, ``env_fn``, each
    only if it accepts it. What it prints is shown as it comes and kept in ``output.log``.

    Args:
        exp_name: Name of the experiment; its runs with different seeds share it.
        thunk: What to run: a function, a lambda, a partial, a method, any callable.
        seed: Seed of the run.
        num_cpu: MPI processes of the run, or ``'auto'`` for as many as there are physical cores; more
            than 1 is not supported yet.
        data_dir: Where results go; ``DEFAULT_DATA_DIR`` of `spinup.user_config` by default.
        datestamp: Put date and time into the directories' names.
        **kwargs: The thunk's hyperparameters. ``logger_kwargs`` replaces those made here, and its
            ``output_dir`` is then the run's directory.

    Returns:
        Name, seed, directory, state and result of the run.

    The errors are those of `spinup.errors`; each is a `SpinupError`.

    Raises:
        ExperimentFailed: The thunk raised, or its process ended in another way.
        ThunkError: The thunk does not accept these arguments; nothing was started.
        UnknownEnvironment: ``env_name`` is not known; nothing was started.
        UnsupportedNumCpu: ``num_cpu`` cannot be had; nothing was started.
        NotPicklable: The thunk or an argument cannot be sent to a process; nothing was started.
        UnsafePath: The name or the seed is not fit for a directory; nothing was started.
        RunDirError: The run's directory cannot be written, or another process is writing it.
    """
    place = _place(data_dir, is_stamped=datestamp)
    job = make_job(exp_name, thunk, kwargs, seed=seed, num_cpu=num_cpu, place=place)
    check_picklable(job.call.thunk, "The thunk")
    for name, value in job.call.kwargs.items():
        check_picklable(value, f"The argument {name!r}")
    check_data_dir(job.data_dir)
    announce.experiment_begins(job)
    record = _execute(job, relays_output=True)
    if record.state is not State.DONE:
        raise ExperimentFailed(
            f"The experiment {exp_name!r} (seed {job.seed}) failed: {announce.failure_text(record)}. "
            f"Its log is {RunDir(record.directory).output}",
            record,
        )
    announce.where_results_are(record.directory)
    return record


class ExperimentGrid(Grid):
    """Runs many experiments given ranges of hyperparameters.

    Example::

        from spinup.algos.ars import ars

        eg = ExperimentGrid(name="ars-cartpole")
        eg.add("env_name", "CartPole-v1")
        eg.add("seed", [0, 10, 20])
        eg.add("nu", [0.1, 0.5], in_name=True)
        eg.run(ars)

    Args:
        name: Begins the name of every experiment.
    """

    def add(
        self,
        key: str,
        vals: Any,
        shorthand: str | None = None,
        in_name: bool = False,  # noqa: FBT001, FBT002 - the specification's signature
    ) -> None:
        """Add a parameter with its possible values.

        Args:
            key: Name of the thunk's argument. Colons make nested dicts: ``'ac_kwargs:hidden_sizes'``.
            vals: A value, or a list of values (a range or a one-dimensional array counts as one). A
                tuple is one value.
            shorthand: Stands for the key in names. By default it is made from the first three letters
                of each colon-separated term, unless ``DEFAULT_SHORTHAND`` is off.
            in_name: Put the parameter in names even if it has one value.

        Raises:
            GridKeyError: ``key`` or ``shorthand`` is no string.
            GridError: The key is there already, reserved, or at odds with another; or no value is given.
        """
        self._add(key, vals, shorthand, in_name, with_default_shorthand=user_config.DEFAULT_SHORTHAND)

    def print(self) -> None:
        """Print a report about the grid: its parameters, their values, the number of variants."""
        announce.grid_report(self, self._name)

    def run(
        self,
        thunk: Callable[..., Any] | str,
        num_cpu: int | str = 1,
        data_dir: DataDir = None,
        datestamp: bool = False,  # noqa: FBT001, FBT002 - the specification's signature
    ) -> list[RunRecord]:
        """Run each variant with ``thunk``, under the name that `variant_name` gives.

        All is checked before anything starts. A run that fails does not stop the others.

        Args:
            thunk: A callable, or the key of a parameter whose values are all callable.
            num_cpu: MPI processes of each run, or ``'auto'``; more than 1 is not supported yet.
            data_dir: Where results go; ``DEFAULT_DATA_DIR`` of `spinup.user_config` by default.
            datestamp: Put date and time into the directories' names.

        Returns:
            The record of each run: name, seed, directory, state and result.

        Raises:
            GridFailed: Some runs failed; it carries the records of all.
            SpinupError: Something is wrong with the thunk or the variants; nothing was started.
        """
        self.print()
        jobs = plan_grid(self, thunk, num_cpu=num_cpu, place=_place(data_dir, is_stamped=datestamp))
        place = jobs[0].data_dir
        announce.coming_experiments([job.exp_name for job in jobs], len(jobs), len(self) - len(jobs), place)
        announce.launch_delay(user_config.WAIT_BEFORE_LAUNCH)
        records = _run_all(jobs)
        failed = [record for record in records if record.state is not State.DONE]
        if failed:
            first = failed[0]
            raise GridFailed(
                f"{len(failed)} of {len(records)} runs failed, the first of them {first.name!r} "
                f"(seed {first.seed}): {announce.failure_text(first)} ({first.directory})",
                records,
            )
        return records


def _execute(job: Job, *, relays_output: bool) -> RunRecord:
    # Not at the top: a script that only builds or prints a grid starts without what launching needs.
    from spinup.launchers.execution import execute  # noqa: PLC0415
    from spinup.launchers.local import LocalLauncher  # noqa: PLC0415

    return execute(job, LocalLauncher(), relays_output=relays_output)


def _run_all(jobs: list[Job]) -> list[RunRecord]:
    """Do one run after another, and tell of each; the summary also comes where Ctrl-C ends it."""
    records: list[RunRecord] = []
    try:
        for number, job in enumerate(jobs, start=1):
            announce.run_begins(job, number, len(jobs))
            begin_s = time.monotonic()
            records.append(_execute_in_grid(job))
            announce.run_ended(records[-1], time.monotonic() - begin_s)
    finally:
        announce.grid_ended(records, len(jobs), jobs[0].data_dir)
    return records


def _execute_in_grid(job: Job) -> RunRecord:
    """Do one run of a grid; one that cannot even start must not stop the others."""
    try:
        return _execute(job, relays_output=False)
    except (SpinupError, OSError) as error:
        return RunRecord(
            name=job.exp_name,
            seed=job.seed,
            directory=job.run_dir.path,
            state=State.FAILED,
            reason=announce.NOT_STARTED,
            message=str(error),
        )


def _place(data_dir: DataDir, *, is_stamped: bool) -> Place:
    """Where results go, by the caller's word or else by the settings as they are now."""
    directory = check_path(user_config.DEFAULT_DATA_DIR if data_dir is None else data_dir, "data_dir")
    flags: dict[str, object] = {"datestamp": is_stamped, "FORCE_DATESTAMP": user_config.FORCE_DATESTAMP}
    for name, value in flags.items():
        if isinstance(value, str):
            raise SettingError(f"{name} must be True or False, not {value!r}.")
    if not (is_stamped or user_config.FORCE_DATESTAMP):
        return Place(directory)
    now = datetime.now()  # noqa: DTZ005 - a person reads it off their own clock
    return Place(directory, f"{now:%Y-%m-%d}", f"{now:%Y-%m-%d_%H-%M-%S}")
