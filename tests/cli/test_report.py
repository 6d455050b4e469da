import pytest
from cli.made_runs import make_run

from spinup.cli.main import main


@pytest.fixture
def data(tmp_path, monkeypatch):
    for lr in (1, 2):
        for seed in range(3):
            values = [lr * (row + 1 + 0.1 * seed * row) for row in range(5)]
            make_run(tmp_path / "data", f"g_lr{lr}", seed, returns=values, config={"lr": lr})
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


def test_the_verdict_is_printed_and_the_report_written(data, capsys, tmp_path):
    assert main(["report", "data"]) == 0
    out = capsys.readouterr().out
    assert "`g_lr2` is best: " in out
    assert str(tmp_path / "report.html") in out
    assert "g_lr2" in (tmp_path / "report.html").read_text()


def test_several_formats_are_written_at_once(data, tmp_path):
    assert main(["report", "data", "-o", "out/r.md", "-o", "out/r.csv", "--title", "Mine"]) == 0
    assert "# Mine" in (tmp_path / "out" / "r.md").read_text()
    assert (tmp_path / "out" / "r.csv").read_text().startswith("variant,exp_name,task")


def test_a_baseline_can_be_named(data, capsys):
    assert main(["report", "data", "--baseline", "g_lr1"]) == 0
    assert "`g_lr2` matters: " in capsys.readouterr().out


def test_all_results_are_meant_where_no_directory_is_named(data, capsys, monkeypatch):
    monkeypatch.setattr("spinup.user_config.DEFAULT_DATA_DIR", str(data))
    assert main(["report"]) == 0
    assert "6 runs of 2 variants" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nope"], "There is no directory nope"),
        (["data", "-o", "r.pdf"], "no report's"),
        (["data", "--baseline", "nope"], "No variant 'nope'"),
        (["data", "--by", "Nope"], "No run has 'Nope'"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(data, capsys, tmp_path, words, said):
    assert main(["report", *words]) == 1
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_file_of_somebody_elses_is_kept_before_anything_is_read(data, capsys, tmp_path):
    (tmp_path / "report.html").write_text("mine")
    assert main(["report", "data"]) == 1
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / "report.html").read_text() == "mine"
    assert main(["report", "data", "--force"]) == 0


def test_a_column_that_only_some_runs_have_is_refused(data, capsys):
    run = make_run(data, "other", returns=())
    (run / "progress.txt").write_text("Epoch\tScore\n0\t1\n1\t2\n")
    assert main(["report", "data", "--by", "Score"]) == 1
    assert "6 of 7 runs have no 'Score'" in capsys.readouterr().err


def test_one_warning_is_read_and_several_are_read_too(data, capsys):
    assert main(["report", "data"]) == 0
    assert "\n1 warning, in the report: read it first." in capsys.readouterr().out
    make_run(data, "g_lr1", 7, "failed", (), {"lr": 1})
    assert main(["report", "data"]) == 0
    assert "warnings, in the report: read them first." in capsys.readouterr().out
