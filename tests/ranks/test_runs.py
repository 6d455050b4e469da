"""Runs of several MPI processes: how they begin, log and end."""

import os
import re

import numpy as np
import pytest
from ranks import thunks

from spinup import ExperimentFailed, ExperimentGrid, call_experiment
from spinup.algos.ars import ars
from spinup.launchers.base import ENTRYPOINT
from spinup.results.table import load_curves

NUM_RANKS = 3


@pytest.fixture
def fails(tmp_path):
    """The record of a run that fails."""

    def run(thunk, num_cpu=NUM_RANKS, **kwargs):
        with pytest.raises(ExperimentFailed) as failed:
            call_experiment("f", thunk, num_cpu=num_cpu, data_dir=tmp_path, **kwargs)
        return failed.value.record

    return run


def text_of(record, name):
    return (record.directory / name).read_text()


def test_a_run_is_as_many_processes_as_were_asked_for(tmp_path):
    record = call_experiment("w", thunks.who, num_cpu=NUM_RANKS, data_dir=tmp_path)
    assert [found[:2] for found in record.result] == [[rank, NUM_RANKS] for rank in range(NUM_RANKS)]
    assert {found[2] for found in record.result} == {"1"}
    assert {found[3] for found in record.result} == {ENTRYPOINT}


def test_a_grid_counts_the_processes_of_its_runs(tmp_path, capsys):
    grid = ExperimentGrid("g")
    grid.add("parts", [[[[1.0], [2.0]]], [[[], [3.0]]]], "p")
    grid.add("x", [[1.0]])
    records = grid.run(thunks.tools, num_cpu=2, data_dir=tmp_path, parallel="auto")
    assert [record.result[0]["statistics"][0][0] for record in records] == [1.5, 3.0]
    assert "Each run is 2 MPI processes, in fresh interpreters: no warm start." in capsys.readouterr().out


@pytest.mark.parametrize("rank", range(NUM_RANKS))
@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raises", "exception"),
        ("exits", "exit code 3"),
        ("exits hard", "exit code 5"),
        ("exits hard as if all were well", "exit code 0 before the thunk returned"),
        ("is killed", "signal SIGKILL"),
        ("crashes", "signal SIGSEGV"),
    ],
)
def test_one_process_that_ends_badly_ends_the_run(fails, how, reason, rank):
    record = fails(thunks.fail, how=how, ranks=[rank])
    assert (record.state, record.reason, record.rank) == ("failed", reason, rank)
    assert sorted(re.findall(r"this is rank (\d)", text_of(record, "output.log"))) == ["0", "1", "2"]
    if how == "raises":
        assert record.message == f"ValueError: rank {rank} gives up"
        assert f"ValueError: rank {rank} gives up" in text_of(record, "error.txt")
        assert os.path.join("spinup", "jobs") not in text_of(record, "error.txt")
    if how == "exits":
        assert "on the way out" in text_of(record, "output.log")


@pytest.mark.parametrize("how", ["raises", "exits hard", "is killed"])
def test_of_processes_that_end_badly_together_one_is_named(fails, how):
    record = fails(thunks.fail, how=how, ranks=[0, 1, 2])
    assert record.rank in {0, 1, 2}
    if how == "raises":
        assert record.message == f"ValueError: rank {record.rank} gives up"
        assert f"rank {record.rank} gives up" in text_of(record, "error.txt")


def test_processes_that_all_end_by_exit_code_0_are_done(tmp_path):
    assert call_experiment("p", thunks.leave_politely, num_cpu=2, data_dir=tmp_path).state == "done"


def test_the_error_that_is_raised_names_the_process(tmp_path):
    with pytest.raises(ExperimentFailed, match="exception in rank 1: ValueError: rank 1 gives up"):
        call_experiment("f", thunks.fail, num_cpu=2, data_dir=tmp_path, how="raises", ranks=[1])


def test_the_table_tells_of_all_processes(tmp_path):
    rng = np.random.default_rng(0)
    stored = [[rng.normal(size=rng.integers(0, 3)).tolist() for _ in range(2)] for _ in range(10)]
    stored += [[[], [1.0, 2.0]], [[], []]]
    record = call_experiment("l", thunks.log, num_cpu=2, data_dir=tmp_path, stored=stored)
    assert record.result == [str(record.directory), [True, False]]
    curves = load_curves(tmp_path)
    assert len(curves) == len(stored)
    for epoch, values in enumerate(stored):
        whole = np.concatenate(values)
        row = curves.row(epoch, named=True)
        for column, of in (("AverageX", np.mean), ("StdX", np.std), ("MaxX", np.max), ("MinX", np.min)):
            expected = pytest.approx(of(whole), rel=1e-12, abs=1e-12) if whole.size else None
            assert row[column] == expected


def test_each_process_goes_on_from_the_saved_state(tmp_path):
    with pytest.raises(ExperimentFailed):
        call_experiment("c", thunks.count_up, num_cpu=2, data_dir=tmp_path)
    grid = ExperimentGrid("c")
    (record,) = grid.run(thunks.count_up, num_cpu=2, data_dir=tmp_path)
    assert record.result == [6, 6]
    assert text_of(record, "progress.txt").split() == ["Epoch", *map(str, range(10))]


def test_a_thunk_of_old_that_forks_itself_becomes_so_many_processes_and_no_grid_is_run_again(tmp_path):
    record = call_experiment("o", thunks.fork_itself, data_dir=tmp_path)
    assert record.result == [0, 1, 2]
    assert text_of(record, "output.log").count("one of 3") == 3
    record = call_experiment("o2", thunks.fork_itself, num_cpu=2, data_dir=tmp_path)
    assert record.result == [0, 1]


def test_a_thunk_of_old_forks_itself_out_of_a_warm_start_too(tmp_path):
    grid = ExperimentGrid("o")
    (record,) = grid.run(thunks.fork_itself, data_dir=tmp_path, isolation="warm")
    assert record.result == [0, 1, 2]


@pytest.mark.parametrize("version", ["V1", "V2-t"])
def test_the_number_of_processes_changes_nothing_that_ars_finds(tmp_path, version):
    tables, policies = [], []
    for num_cpu in (1, 2, 3):
        record = call_experiment(
            f"ars{num_cpu}",
            ars,
            seed=3,
            num_cpu=num_cpu,
            data_dir=tmp_path,
            env_name="CartPole-v1",
            version=version,
            N=4,
            b=3 if version.endswith("-t") else None,
            epochs=4,
            eval_episodes=5,
        )
        rows = [line.split("\t") for line in text_of(record, "progress.txt").splitlines()]
        time = rows[0].index("Time")
        tables.append([row[:time] + row[time + 1 :] for row in rows])
        policies.append(record.result)
    assert len(tables[0]) == 5
    assert tables[0] == tables[1] == tables[2]
    assert policies[0] == policies[1] == policies[2]


def test_a_grid_inside_one_process_of_several_has_runs_of_its_own(tmp_path):
    record = call_experiment(
        "outer", thunks.run_a_grid, num_cpu=2, data_dir=tmp_path, directory=str(tmp_path)
    )
    assert record.result == [[0, 1], [0, 1]]
