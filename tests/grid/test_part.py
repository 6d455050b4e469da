import pytest
from grid.rules import grids, make
from hypothesis import given, settings
from hypothesis import strategies as st

from spinup.errors import GridError, GridIndexError, GridKeyError, GridTooLarge
from spinup.fingerprint import fingerprint

places = st.one_of(st.none(), st.integers(-15, 15))


def prints(rows):
    return [fingerprint(row) for row in rows]


@settings(max_examples=60, deadline=None)
@given(grids(), places, places, st.one_of(st.none(), st.integers(-3, 3).filter(bool)), st.booleans())
def test_a_slice_is_that_of_the_list(eg, start, stop, step, is_filtered):
    if is_filtered:
        eg.only(lambda v: v.get("p", 0) != 1)
    try:
        rows = list(eg)
    except GridError:
        return
    assert prints(eg[start:stop:step]) == prints(rows[start:stop:step])
    assert prints(eg[start:stop][::step]) == prints(rows[start:stop][::step])
    assert len(eg[start:stop:step]) == len(rows[start:stop:step])


@settings(max_examples=50, deadline=None)
@given(grids(), st.integers(1, 9))
def test_shards_divide_the_runs(eg, number):
    shards = [list(eg.part(shard=f"{i}/{number}")) for i in range(1, number + 1)]
    assert sorted(prints(row for shard in shards for row in shard)) == sorted(prints(eg))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.fixture
def eg():
    eg = make("g", lr=[1, 2, 3])
    eg.seeds(2)
    return eg


@pytest.mark.parametrize(
    ("only", "numbers"),
    [
        (2, [2]),
        (-1, [5]),
        (slice(1, 3), [1, 2]),
        (slice(7, 9), []),
        ([4, 0, 4, -1], [4, 0, 5]),
        (range(2), [0, 1]),
        ([], []),
        ("g_lr2", [2, 3]),
        (lambda v: v["seed"] == 1 and v["lr"] > 1, [3, 5]),
    ],
)
def test_a_part_keeps_names_and_order(eg, only, numbers):
    rows = list(eg)
    assert list(eg.part(only)) == [rows[number] for number in numbers]


def test_a_shard_is_one_of_what_is_chosen(eg):
    rows = list(eg)
    assert list(eg.part(slice(1, None), "2/2")) == [rows[2], rows[4]]
    assert list(eg.part(shard="8/8")) == []


def test_a_part_of_one_variant_is_named_as_in_the_whole(eg):
    (row,) = eg[2:3]
    assert row == ({"lr": 2, "seed": 0}, "g_lr2")
    assert eg[2:3].variant_name({"lr": 3}) == "g_lr3"


@pytest.mark.parametrize("only", [6, -7, [0, 6]])
def test_a_number_that_is_not_there_is_an_error(eg, only):
    with pytest.raises(GridIndexError, match="has 6 variants, counting seeds; there is no number"):
        eg.part(only)


@pytest.mark.parametrize("only", [1.5, True, [None], b"x"])
def test_what_is_no_number_is_an_error(eg, only):
    with pytest.raises(GridKeyError, match="must be an integer"):
        eg.part(only)


@pytest.mark.parametrize(
    ("only", "text"),
    [
        ("g_lr9", "No variant has the name 'g_lr9'. The first are: 'g_lr1'"),
        (lambda v: False, "no variant at all"),
    ],
)
def test_a_choice_that_leaves_nothing_is_an_error(eg, only, text):
    with pytest.raises(GridError, match=text):
        eg.part(only)


@pytest.mark.parametrize(
    ("shard", "text"),
    [
        *((shard, "a text such as '2/8'") for shard in ["1", "a/b", "-1/4", " 1/4", 3, (1, 4), "1/2\n"]),
        ("0/4", "no shard of 4: they go from '1/4' to '4/4'"),
        ("5/4", "no shard of 4: they go from '1/4' to '4/4'"),
        ("1/0", "no shard of 0: there must be one or more"),
        ("1/1" + 18 * "0", "18 digits at most"),
    ],
)
def test_a_shard_that_is_none_is_an_error(eg, shard, text):
    with pytest.raises(GridError, match=text):
        eg.part(shard=shard)


def test_there_can_be_more_shards_than_variants(eg):
    assert list(eg.part(shard="2/1000000000000")) == [list(eg)[1]]


# -- Size


@pytest.fixture
def huge():
    return make("g", **{f"p{number}x": range(10) for number in range(20)})


def test_a_grid_that_len_cannot_count_says_what_can(huge):
    with pytest.raises(GridTooLarge, match="num_variants"):
        len(huge)
    assert huge.num_variants == 10**20
    assert huge[5:].num_variants == 10**20 - 5
    assert huge[5::-2].num_variants == 3
    assert [variant["p19x"] for variant, _ in huge[-2:]] == [8, 9]


@pytest.mark.parametrize("only", ["g_p0x1", lambda v: v["p0x"] == 1])
def test_nothing_is_looked_for_without_end(huge, only):
    with pytest.raises(GridTooLarge, match=r"100,000,000,000,000,000,000 variants.*sample\(n\)"):
        huge.part(only)


def test_a_search_without_a_known_count_ends_too(monkeypatch):
    monkeypatch.setattr("spinup.grid.part.MOST_VARIANTS", 3)
    eg = make("g", a=[1, 2, 3, 4])
    eg.exclude(lambda v: False)
    with pytest.raises(GridTooLarge, match="more than 3 variants"):
        eg.part("g_a9")
