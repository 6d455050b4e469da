from __future__ import annotations

import math
import os
import pickle
import sys

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from spinup.errors import RecordError
from spinup.results.table import final_returns, load_curves
from spinup.rundir.progress import parse_ragged

IDENTITY = {"exp_name": pl.String, "seed": pl.Int64, "directory": pl.String}
FIRST = {**IDENTITY, "steps": pl.Float64, "return": pl.Float64}


def curves_of(*finals: tuple[str, int | None, list[float | None]]) -> pl.DataFrame:
    """A table with one run per (name, seed, column AverageEpRet)."""
    frames = [
        pl.DataFrame(
            {
                "exp_name": [name] * len(values),
                "seed": [seed] * len(values),
                "directory": [f"run{index}"] * len(values),
                "AverageEpRet": values,
            },
            schema=IDENTITY | {"AverageEpRet": pl.Float64},
        )
        for index, (name, seed, values) in enumerate(finals)
    ]
    return pl.concat(frames)


def test_rows_of_all_runs_come_in_one_table_in_order(write_run, tmp_path):
    second = write_run("a/a_s10", "Epoch\tAverageEpRet\n0\t3.5\n", {"exp_name": "a", "seed": 10})
    first = write_run("a/a_s9", "Epoch\tAverageEpRet\n0\t1.5\n1\t-2e3\n", {"exp_name": "a", "seed": 9})
    expected = pl.DataFrame(
        {
            "exp_name": ["a", "a", "a"],
            "seed": [9, 9, 10],
            "directory": [str(first), str(first), str(second)],
            "Epoch": [0.0, 1.0, 0.0],
            "AverageEpRet": [1.5, -2000.0, 3.5],
        }
    )
    found = load_curves(tmp_path)
    assert_frame_equal(found.drop("steps", "return"), expected)
    assert found["return"].to_list() == [1.5, -2000.0, 3.5]
    assert found["steps"].to_list() == [None] * 3


def test_data_dir_may_be_a_string(write_run, tmp_path):
    write_run("a_s0", "x\n1\n")
    assert load_curves(str(tmp_path))["x"].to_list() == [1.0]


def test_an_empty_cell_is_null_and_nan_is_nan(write_run, tmp_path):
    write_run("a_s0", "x\ty\n1\t\n2\tnan\n3\t-inf\n")
    y = load_curves(tmp_path)["y"].to_list()
    assert y[0] is None
    assert math.isnan(y[1])
    assert y[2] == -math.inf


def test_a_column_with_a_text_stays_text(write_run, tmp_path):
    write_run("a_s0", "x\tnote\n1\t007\n2\t\n")
    write_run("a_s1", "x\tnote\n3\tcrashed\n")
    assert load_curves(tmp_path)["note"].to_list() == ["007", None, "crashed"]


def test_a_column_without_any_value_is_a_number_without_value(write_run, tmp_path):
    write_run("a_s0", "x\ty\n1\t\n")
    assert_frame_equal(load_curves(tmp_path).select("y"), pl.DataFrame({"y": [None]}, {"y": pl.Float64}))


def test_a_run_without_a_column_of_another_has_null_there(write_run, tmp_path):
    write_run("a_s0", "x\tLossV\n1\t0.5\n")
    write_run("b_s0", "x\tLossQ\n2\t0.25\n")
    expected = pl.DataFrame({"x": [1.0, 2.0], "LossV": [0.5, None], "LossQ": [None, 0.25]})
    assert_frame_equal(load_curves(tmp_path).drop(FIRST), expected)


def test_a_torn_last_line_is_left_out(write_run, tmp_path):
    write_run("a_s0", "x\ty\n1\t10\n2\t2")
    assert load_curves(tmp_path)["y"].to_list() == [10.0]


def test_a_row_shorter_than_the_header_ends_in_null(write_run, tmp_path):
    write_run("a_s0", "x\ty\n1\n2\t20\n")
    assert load_curves(tmp_path)["y"].to_list() == [None, 20.0]


def test_equal_names_of_any_number_stay_short(write_run, tmp_path):
    write_run("a_s0", "\t".join(["x"] * 2_000) + "\n1\n")
    names = load_curves(tmp_path).columns[5:]
    assert len(set(names)) == 2_000
    assert max(map(len, names)) < 20


def test_a_name_that_looks_like_a_changed_one_is_kept_apart(write_run, tmp_path):
    write_run("a_s0", "x (progress)\tx\tx\tx\n1\t2\t3\t4\n")
    (row,) = load_curves(tmp_path).drop(FIRST).to_dicts()
    assert row == {"x (progress)": 1.0, "x": 2.0, "x (progress 2)": 3.0, "x (progress 3)": 4.0}


@pytest.mark.parametrize(("limit", "value"), [("_MOST_CELLS", 29), ("_MOST_COLUMNS", 4)])
def test_more_than_fits_into_memory_is_an_error_that_names_the_file(
    write_run, tmp_path, monkeypatch, limit, value
):
    write_run("a_s0", "x\n1\n2\n3\n")
    path = write_run("a_s1", "y\tz\n1\n2\n3\n")
    assert load_curves(tmp_path).shape == (6, 8)
    monkeypatch.setattr(f"spinup.results.curves.{limit}", value)
    with pytest.raises(RecordError, match="Too much to read") as caught:
        load_curves(tmp_path)
    assert str(path) in str(caught.value)


def test_a_wide_header_over_short_rows_costs_no_more_than_its_file(write_run, tmp_path):
    header = "\t".join(f"c{index}" for index in range(3_000))
    path = write_run("a_s0", header + "\n" + "1\n" * 3_000)
    assert sum(map(len, parse_ragged((path / "progress.txt").read_bytes())[1])) == 3_000
    assert load_curves(tmp_path).shape == (3_000, 3_005)


def test_an_error_names_some_of_very_many_columns():
    curves = curves_of(("a", 0, [1.0])).with_columns(pl.lit(0.0).alias(f"c{index}") for index in range(99))
    with pytest.raises(RecordError, match="and 50 more"):
        final_returns(curves, "missing")


@pytest.mark.parametrize("progress", ["", "x\ty", "x\ty\n", "x"])
def test_a_run_without_a_row_has_none_and_hides_no_other(write_run, tmp_path, progress):
    write_run("a_s0", progress)
    write_run("a_s1", "x\ty\n1\t2\n")
    assert load_curves(tmp_path).select("seed", "x", "y").rows() == [(1, 1.0, 2.0)]


def test_runs_without_any_row_give_an_empty_table(write_run, tmp_path):
    write_run("a_s0", "")
    curves = load_curves(tmp_path)
    assert curves.schema == FIRST
    assert curves.is_empty()


def test_an_unknown_seed_is_null(write_run, tmp_path):
    write_run("a", "x\n1\n")
    assert load_curves(tmp_path)["seed"].to_list() == [None]


def test_a_column_whose_name_is_taken_is_kept_under_another(write_run, tmp_path):
    write_run("a_s3", "seed\tx\tx\tx\n5\t1\t2\t3\n")
    (row,) = load_curves(tmp_path).drop("exp_name", "directory", "steps", "return").to_dicts()
    assert row == {
        "seed": 3,
        "seed (progress)": 5.0,
        "x": 1.0,
        "x (progress)": 2.0,
        "x (progress 2)": 3.0,
    }


def test_what_utf8_cannot_hold_is_escaped(write_run, tmp_path):
    write_run("a_s0", "x\n1\n", '{"exp_name": "p\\ud800o", "seed": 0}')
    assert load_curves(tmp_path)["exp_name"].to_list() == ["p\\ud800o"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system that takes any bytes")
def test_a_path_that_is_no_utf8_is_read(tmp_path):
    directory = os.path.join(os.fsencode(tmp_path), b"caf\xe9_s0")
    os.mkdir(directory)
    with open(os.path.join(directory, b"progress.txt"), "w") as file:
        file.write("x\n1\n")
    (row,) = load_curves(tmp_path).to_dicts()
    assert (row["exp_name"], row["seed"], row["x"]) == ("caf\\udce9", 0, 1.0)


def test_nothing_is_unpickled(write_run, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "exploded"),))

    path = write_run("a_s0", "x\n1\n", {"exp_name": "a", "seed": 0})
    for name in ("vars.pkl", "payload.pkl"):
        (path / name).write_bytes(pickle.dumps(Bomb()))
    load_curves(tmp_path)
    assert not (tmp_path / "exploded").exists()


def test_no_run_at_all_is_an_error(tmp_path):
    with pytest.raises(RecordError, match="No run in"):
        load_curves(tmp_path)


numbers = st.floats() | st.none()
# What progress.txt escapes is the concern of spinup.rundir.progress.
texts = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='"\\'))


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(st.tuples(numbers, texts), min_size=1, max_size=20))
def test_numbers_and_texts_come_back_exactly(rows, tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("data")
    lines = ["number\ttext", *(f"{'' if n is None else repr(n)}\t{text}" for n, text in rows), "0\t<text>"]
    (data_dir / "progress.txt").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    expected = pl.DataFrame(
        {"number": [*(n for n, _ in rows), 0.0], "text": [*(text or None for _, text in rows), "<text>"]},
        schema={"number": pl.Float64, "text": pl.String},
    )
    assert_frame_equal(load_curves(data_dir).select("number", "text"), expected, check_exact=True)


def test_final_returns_average_over_seeds_only():
    # Seed 0 ends at (4 + 6) / 2 = 5, seed 1 at (1 + 3) / 2 = 2, seed 2 at 8; their mean is 5, their
    # squared deviations 0, 9 and 9, so the standard deviation is sqrt(18 / 2) = 3.
    curves = curves_of(("ppo", 0, [100.0, 4.0, 6.0]), ("ppo", 1, [0.0, 0.0, 1.0, 3.0]), ("ppo", 2, [8.0]))
    expected = pl.DataFrame(
        {"exp_name": "ppo", "num_seeds": 3, "mean": 5.0, "std": 3.0, "min": 2.0, "max": 8.0}
    )
    assert_frame_equal(final_returns(curves, last=2), expected)


def test_a_seeds_final_value_is_by_default_the_mean_of_five_rows():
    curves = curves_of(("ppo", 0, [1000.0, 1.0, 2.0, 3.0, 4.0, 10.0]))
    assert final_returns(curves)["mean"].to_list() == [4.0]


def test_one_seed_has_no_standard_deviation():
    (row,) = final_returns(curves_of(("ppo", 0, [2.0]))).to_dicts()
    assert row == {"exp_name": "ppo", "num_seeds": 1, "mean": 2.0, "std": None, "min": 2.0, "max": 2.0}


def test_the_best_experiment_comes_first_and_those_without_a_number_last():
    curves = curves_of(
        ("absent", 0, [None]), ("diverged", 0, [math.nan]), ("low", 0, [-5.0]), ("high", 0, [5.0])
    )
    assert final_returns(curves)["exp_name"].to_list() == ["high", "low", "diverged", "absent"]


def test_equal_means_are_ordered_by_name():
    curves = curves_of(("b", 0, [1.0]), ("a", 0, [1.0]))
    assert final_returns(curves)["exp_name"].to_list() == ["a", "b"]


def test_a_seed_that_diverged_is_not_averaged_away():
    curves = curves_of(("ppo", 0, [1.0]), ("ppo", 1, [math.nan]))
    (row,) = final_returns(curves).to_dicts()
    assert row["num_seeds"] == 2
    assert all(math.isnan(row[name]) for name in ("mean", "std", "min", "max"))


def test_rows_and_seeds_without_a_value_do_not_count():
    curves = curves_of(("ppo", 0, [1.0, 3.0, None]), ("ppo", 1, [None, None]))
    (row,) = final_returns(curves, last=2).to_dicts()
    assert (row["num_seeds"], row["mean"]) == (1, 2.0)


def test_an_experiment_without_any_value_stays_in_the_table():
    (row,) = final_returns(curves_of(("ppo", 0, [None]))).to_dicts()
    assert row == {"exp_name": "ppo", "num_seeds": 0, "mean": None, "std": None, "min": None, "max": None}


def test_runs_of_unknown_seed_count_as_a_seed_each():
    curves = curves_of(("ppo", None, [1.0]), ("ppo", None, [3.0]))
    (row,) = final_returns(curves).to_dicts()
    assert (row["num_seeds"], row["mean"]) == (2, 2.0)


def test_a_seed_that_was_run_twice_is_an_error_that_names_both_directories():
    curves = curves_of(("ppo", 0, [1.0]), ("ppo", 1, [2.0]), ("ppo", 1, [3.0]))
    with pytest.raises(RecordError, match=r"Seed 1 of 'ppo'.* run1, run2"):
        final_returns(curves)


def test_the_same_seed_in_two_experiments_is_no_error():
    assert len(final_returns(curves_of(("a", 0, [1.0]), ("b", 0, [2.0])))) == 2


def test_another_column_can_be_summarised():
    curves = curves_of(("ppo", 0, [1.0])).with_columns(Time=pl.lit(60.0))
    assert final_returns(curves, "Time")["mean"].to_list() == [60.0]


def test_a_column_that_no_run_has_is_an_error_that_lists_those_there_are():
    with pytest.raises(RecordError, match=r"'TestEpRet'.*AverageEpRet"):
        final_returns(curves_of(("ppo", 0, [1.0])), "TestEpRet")


def test_a_column_of_text_is_an_error_that_shows_the_text_and_where_it_is(write_run, tmp_path):
    write_run("a_s0", "x\tAverageEpRet\n1\t\n1\t1\n")
    path = write_run("a_s1", "x\tAverageEpRet\n1\t2\n1\toops\n")
    with pytest.raises(RecordError, match="'oops'") as caught:
        final_returns(load_curves(tmp_path))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("last", [0, -1])
def test_no_row_at_all_cannot_be_averaged(last):
    with pytest.raises(ValueError, match="at least 1"):
        final_returns(curves_of(("ppo", 0, [1.0])), last=last)
