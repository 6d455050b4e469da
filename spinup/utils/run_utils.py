"""Spinning Up's Run Utils: ExperimentGrid, call_experiment and setup_logger_kwargs."""

from __future__ import annotations

import os
from contextlib import closing, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self

from spinup import console, user_config
from spinup.errors import ExperimentFailed, SettingError
from spinup.grid import Grid
from spinup.grid.part import Part, check_size
from spinup.jobs.make import Place, check_data_dir, check_path, make_job
from spinup.jobs.payload import check_picklable
from spinup.rundir.layout import RunDir
from spinup.rundir.status import State
from spinup.scheduler.run import Options, Workplace, find_room, run_jobs
from spinup.utils import announce
from spinup.utils.grid_file import read_grid, write_grid
from spinup.utils.grid_marks import marked
from spinup.utils.grid_plan import plan_grid
from spinup.utils.grid_report import grid_report
from spinup.utils.grid_run import modules_ahead, run_planned
from spinup.utils.num_cpu import check_num_cpu
from spinup.utils.run_options import check_options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spinup.grid.functions import View
    from spinup.jobs.job import Job
    from spinup.rundir.record import RunRecord

__all__ = ["ExperimentGrid", "call_experiment", "setup_logger_kwargs"]

DataDir = str | os.PathLike[str] | None

_RELAY_INTERVAL_S = 0.05


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

    It always runs, whatever its directory holds. An interrupted run of the same call and code is gone on
    with: a thunk that calls ``logger.restore()`` has its last saved state again. Any other earlier run,
    done or failed, is moved to ``.archive`` first.

    A *thunk* is a function that is called once, with the hyperparameters of one run; Spinning Up's word.

    The thunk also gets ``seed``, ``logger_kwargs`` and, where there is an ``env_name``, ``env_fn``, each
    only if it accepts it. What it prints is shown as it comes and kept in ``output.log``.

    Args:
        exp_name: Name of the experiment; its runs with different seeds share it.
        thunk: What to run: a function, a lambda, a partial, a method, any callable.
        seed: Seed of the run.
        num_cpu: MPI processes of the run, or ``'auto'`` for as many as there are physical cores
            to use; more than 1 needs the extra ``mpi``.
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
    number = check_num_cpu(num_cpu)
    job = make_job(exp_name, thunk, kwargs, seed=seed, num_cpu=number, place=place)
    check_picklable(job.call.thunk, "The thunk")
    for name, value in job.call.kwargs.items():
        check_picklable(value, f"The argument {name!r}")
    check_data_dir(job.data_dir)
    announce.experiment_begins(job)
    record = _run_single(job)
    if record.state is not State.DONE:
        raise ExperimentFailed(
            f"The experiment {exp_name!r} (seed {job.seed}) failed: {announce.failure_text(record)}. "
            f"Its log is {console.one_line(str(RunDir(record.directory).output))}",
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

    def _uses_shorthands(self) -> bool:
        return user_config.DEFAULT_SHORTHAND

    def print(self) -> None:
        """Print a report about the grid: all that it was told, and how many runs that makes."""
        grid_report(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the grid to a TOML file, which `load` reads back, and a person can read and edit.

        Functions are written as ``module:name``.

        Example::

            eg.save("grid.toml")
            eg = ExperimentGrid.load("grid.toml")

        Args:
            path: The file; an earlier one is replaced.

        Raises:
            GridError: A value cannot be written without loss: a lambda, a function of the launch script,
                an object. Says which.
            GridFileError: The file cannot be written.
        """
        write_grid(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The grid that is in a TOML file; what that says for ``spinup run`` alone is passed over.

        It imports the modules that the file names, which runs their code: load only what you trust.

        Args:
            path: The file.

        Raises:
            GridError: It is no such file, or says something that cannot be; or a function that it names is
                not there.
            OSError: The file cannot be read.
        """
        return read_grid(path, cls)

    def run(
        self,
        thunk: Callable[..., Any] | str,
        num_cpu: int | str = 1,
        data_dir: DataDir = None,
        datestamp: bool = False,  # noqa: FBT001, FBT002 - the specification's signature
        *,
        parallel: int | Literal["auto"] = "auto",
        gpus: int | Sequence[int] | Literal["auto"] | None = "auto",
        gpus_per_run: float | None = None,
        memory_per_run: float | str | None = None,
        isolation: Literal["auto", "warm", "fresh"] = "auto",
        retries: int = 0,
        timeout: float | str | None = None,
        on_failure: Literal["continue", "stop"] = "continue",
        rerun: Literal["failed", "stale", "all", "none"] = "failed",
        launcher: Literal["local"] = "local",
        dry_run: bool = False,
        only: int | slice | Sequence[int] | str | Callable[[View], Any] | None = None,
        shard: str | None = None,
    ) -> list[RunRecord]:
        """Run each variant with ``thunk``, under the name that `variant_name` gives, several at a time.

        All is checked before anything starts. Runs that are done already are kept, those that failed or
        were interrupted run again: to resume a grid, run the same script again. A run that fails does
        not stop the others. The order is that of the seeds, and for each seed that of the grid.

        Args:
            thunk: A callable, or the key of a parameter whose values are all callable.
            num_cpu: MPI processes of each run, or ``'auto'`` for as many as there are physical
                cores to use; more than 1 needs the extra ``mpi``. A run takes that many cores.
            data_dir: Where results go; ``DEFAULT_DATA_DIR`` of `spinup.user_config` by default.
            datestamp: Put date and time into the directories' names.
            parallel: Runs at a time; ``'auto'`` for as many as there are usable cores, and shares of GPUs.
            gpus: GPUs to share out: ``'auto'`` for those that are visible, a number, their numbers, or
                None. Each run sees its own alone.
            gpus_per_run: How many GPUs each run gets, or what part of one; 1 by default.
            memory_per_run: Bytes, or a text such as ``'4GB'``: a run whose processes hold more is ended.
            isolation: ``'warm'`` forks each run from a process that has imported what it needs,
                ``'fresh'`` gives it a new interpreter; ``'auto'`` is warm where that is safe.
            retries: How often a run that failed is tried again.
            timeout: Seconds that each attempt has, or a text such as ``'2h'`` or ``'1h30m'``.
            on_failure: ``'stop'`` ends the grid when a run has failed.
            rerun: What is done again: ``'failed'`` and interrupted runs; ``'stale'`` ones too, whose code
                has changed; ``'all'``; or ``'none'``, which does new runs alone and touches no other.
            launcher: Where runs are done; ``'local'`` is this machine.
            dry_run: Print the plan; start nothing, and write nothing.
            only: Run a part of the grid: the variant of this number, as in ``eg[i]``; those of a slice or a
                list of numbers; those of this name; or those for which this function is true.
            shard: ``'2/8'`` for the second of eight tasks that divide the runs between them, such as the
                jobs of an array. A task for which none is left does nothing.

        Returns:
            The record of each run, in the grid's order: name, seed, directory, state and result. Of a dry
            run, an empty list. With ``rerun='none'``, what is unfinished or has another config is left out.

        Raises:
            GridFailed: Some runs failed; it carries the records of all.
            SpinupError: Something is wrong with the thunk, the variants or the keywords; nothing was
                started.
        """
        options = check_options(
            num_cpu=num_cpu,
            parallel=parallel,
            gpus=gpus,
            gpus_per_run=gpus_per_run,
            memory_per_run=memory_per_run,
            isolation=isolation,
            retries=retries,
            timeout=timeout,
            on_failure=on_failure,
            rerun=rerun,
            launcher=launcher,
        )
        _check_flag("dry_run", dry_run)
        grid = self if only is None and shard is None else self.part(only, shard)
        place = _place(data_dir, is_stamped=datestamp)
        if isinstance(grid.source, Part) and not grid.source.places:
            announce.nothing_to_run()
            return []
        grid.print()
        check_size(grid.source)
        room = find_room(options)
        with nullcontext() if dry_run else closing(Workplace(options, room)) as workplace:
            if workplace is not None:
                # While the plan is made, and while the user reads it.
                workplace.get_ready(lambda: modules_ahead(grid, thunk))
            plan = plan_grid(
                grid, thunk, num_cpu=options.num_cpu, place=place, rerun=options.rerun, is_dry=dry_run
            )
            with nullcontext() if dry_run else marked(plan):
                return run_planned(
                    plan,
                    options,
                    room,
                    workplace,
                    data_dir=os.path.abspath(place.data_dir),
                    num_equal=grid.num_variants - len(plan),
                    grid_name=self._name,
                )


def _run_single(job: Job) -> RunRecord:
    # Not at the top: a script that only builds or prints a grid starts without what launching needs.
    from spinup.rundir.lock import locked  # noqa: PLC0415
    from spinup.utils.views import RelayView  # noqa: PLC0415

    with locked(job.run_dir):
        pass  # to say so at once if another process is doing it
    options = Options(num_cpu=job.num_cpu, rerun="call", isolation="fresh", gpus=())
    room = find_room(options)
    view = RelayView(job.run_dir.output)
    (record,) = run_jobs([job], options, room, view, refresh_s=_RELAY_INTERVAL_S, is_single=True)
    return record


def _place(data_dir: DataDir, *, is_stamped: bool) -> Place:
    """Where results go, by the caller's word or else by the settings as they are now."""
    directory = check_path(user_config.DEFAULT_DATA_DIR if data_dir is None else data_dir, "data_dir")
    _check_flag("datestamp", is_stamped)
    _check_flag("FORCE_DATESTAMP", user_config.FORCE_DATESTAMP)
    if not (is_stamped or user_config.FORCE_DATESTAMP):
        return Place(directory)
    now = datetime.now()  # noqa: DTZ005 - a person reads it off their own clock
    return Place(directory, f"{now:%Y-%m-%d}", f"{now:%Y-%m-%d_%H-%M-%S}")


def _check_flag(name: str, value: object) -> None:
    # Not by its truth: 'False' and 'no' are true.
    if not isinstance(value, bool):
        raise SettingError(f"{name} must be True or False, not {value!r}.")
