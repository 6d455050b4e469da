import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinup.cli.columns import Column, fit

NAMES = ["grid_lr0-1_hid64-64_actrelu", "grid_lr0-2_hid64-64_actrelu"]
COLUMNS = [
    Column("done", ["3/5", "5/5"], 9),
    Column("elapsed", ["1:00:00", "2:00"], 1),
    Column("return", ["1", "2"], 8),
]


def test_where_there_is_room_all_is_shown():
    assert fit("variant", NAMES, COLUMNS, None) == [
        "variant                      done  elapsed  return",
        "grid_lr0-1_hid64-64_actrelu   3/5  1:00:00       1",
        "grid_lr0-2_hid64-64_actrelu   5/5     2:00       2",
    ]


def test_columns_of_least_worth_go_first_and_names_stay_apart():
    lines = fit("variant", NAMES, COLUMNS, 30)
    assert lines[0] == "variant           done  return"
    assert lines[1] != lines[2]
    assert max(map(len, lines)) == 30


@given(
    names=st.lists(st.text(max_size=200), min_size=1, max_size=5),
    width=st.one_of(st.none(), st.integers(24, 200)),
)
def test_a_table_never_breaks_its_lines(names, width):
    cells = [str(place) for place in range(len(names))]
    lines = fit("variant", names, [Column("done", cells, 2), Column("return", cells, 1)], width)
    assert len(lines) == len(names) + 1
    assert all("\n" not in line for line in lines)
    assert width is None or max(map(len, lines)) <= width


@pytest.mark.parametrize("width", [0, 1, 10])
def test_the_narrowest_terminal_still_gets_a_table(width):
    assert len(fit("variant", NAMES, COLUMNS, width)) == 3
