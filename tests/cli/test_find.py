import pytest
from cli.made_runs import make_run
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from spinup.cli import find
from spinup.cli.find import complete_run, find_run, find_runs, walk
from spinup.cli.logs import command
from spinup.errors import RecordError


@pytest.fixture
def data(tmp_path):
    for name in ("g_lr1", "g_lr10", "deep/er"):
        for seed in (0, 10):
            make_run(tmp_path, name, seed) if "/" not in name else make_deep(tmp_path, seed)
    return tmp_path


def make_deep(data_dir, seed):
    directory = data_dir / "deep" / "er" / "deep" / f"er_s{seed}"
    directory.mkdir(parents=True)
    (directory / "status.json").write_text("{}")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("g_lr1_s0", "g_lr1/g_lr1_s0"),
        ("g_lr1_s10", "g_lr1/g_lr1_s10"),
        ("lr10_s1", "g_lr10/g_lr10_s10"),
        ("deep/er_s0", "deep/er/deep/er_s0"),
        ("er_s10", "deep/er/deep/er_s10"),
        ("g_lr1/g_lr1_s0", "g_lr1/g_lr1_s0"),
    ],
)
def test_a_run_is_found_by_its_name_or_a_part_that_is_its_own(data, text, place):
    assert find_run(text, str(data)) == data / place


def test_a_run_is_found_by_its_directory_wherever_it_is(data, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert find_run(str(data / "g_lr1" / "g_lr1_s0"), str(elsewhere)) == data / "g_lr1" / "g_lr1_s0"


def test_a_name_with_several_seeds_says_which_there_are(data):
    with pytest.raises(
        RecordError, match=r"'g_lr1' has 2 runs, with the seeds 0, 10. Say which, as in g_lr1_s0"
    ):
        find_run("g_lr1", str(data))


def test_a_part_of_several_names_lists_them(data):
    with pytest.raises(RecordError, match="any of g_lr1_s0, g_lr1_s10, g_lr10_s0, g_lr10_s10"):
        find_run("g_", str(data))


def test_a_name_that_is_nobodys_suggests_one(data):
    with pytest.raises(RecordError, match=r"No run in .* is called 'g_rl1_s0'. Did you mean g_lr1_s0"):
        find_run("g_rl1_s0", str(data))


def test_a_whole_name_means_no_longer_ones(data):
    assert [path.name for path in find_runs("g_lr1", str(data))] == ["g_lr1_s0", "g_lr1_s10"]


def test_a_part_will_not_do_where_the_name_has_to_be_exact(data):
    with pytest.raises(RecordError):
        find_runs("lr1_s", str(data), is_exact=True)


def test_a_directory_means_all_runs_in_it(data):
    assert len(find_runs(str(data / "deep"), None)) == 2


def test_hidden_directories_and_links_are_passed_over(data, tmp_path_factory):
    make_run(data / ".archive", "old")
    make_run(data / ".launches", "old")
    outside = make_run(tmp_path_factory.mktemp("outside"), "far")
    (data / "link").symlink_to(outside)
    assert {path.name.partition("_s")[0] for path in walk(data).runs} == {"g_lr1", "g_lr10", "er"}


@given(text=st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_whatever_is_asked_for_one_run_or_one_line_comes_back(tmp_path_factory, text):
    data_dir = tmp_path_factory.mktemp("data")
    run = make_run(data_dir)
    try:
        found = find_run(text, str(data_dir))
    except RecordError as error:
        found = str(error)
    assert found == run or "\n" not in found


def test_names_are_completed(data):
    context = command.make_context("logs", ["x", "--data-dir", str(data)])
    found = [item.value for item in complete_run(context, command.params[0], "g_lr10")]
    assert found == ["g_lr10_s0", "g_lr10_s10"]


def test_completion_is_silent_about_what_is_not_there(tmp_path):
    context = command.make_context("logs", ["x", "--data-dir", str(tmp_path / "no")])
    assert [item.type for item in complete_run(context, command.params[0], "g")] == ["dir"]


def test_runs_are_looked_up_where_results_go_by_default(data, monkeypatch):
    monkeypatch.setattr("spinup.user_config.DEFAULT_DATA_DIR", str(data))
    (data / "g_lr1" / "g_lr1_s0" / "output.log").write_text("hello\n")
    assert CliRunner().invoke(command, ["g_lr1_s0"]).output == "hello\n"


def test_the_kernels_file_systems_are_not_walked_through(tmp_path, monkeypatch):
    make_run(tmp_path / "proc")
    monkeypatch.setattr(find, "_NO_DISKS", (str(tmp_path / "proc"),))
    assert walk(tmp_path).runs == ()
