"""Nothing that one run does to its process reaches the next."""

import pytest
from chaos import faulty
from chaos.grids import run_grid


@pytest.mark.parametrize("isolation", ["warm", "fresh"])
def test_a_run_finds_nothing_of_the_one_before(tmp_path, isolation):
    keywords = {"parallel": 1, "isolation": isolation}
    before, mutated, after = run_grid("what", tmp_path, keywords, what=THUNKS)
    assert mutated.result == []  # all that is looked at was changed
    assert before.result["files"]
    assert after.result == before.result


def look_again():
    return faulty.look()


THUNKS = [faulty.look, faulty.mutate, look_again]


@pytest.mark.parametrize("isolation", ["warm", "fresh"])
def test_runs_that_seed_nothing_draw_different_numbers(tmp_path, isolation):
    keywords = {"parallel": 1, "isolation": isolation}
    records = run_grid(faulty.draw, tmp_path, keywords, seed=[0, 1, 2])
    numbers = [number for record in records for number in record.result]
    assert len(set(numbers)) == len(numbers) == 9
