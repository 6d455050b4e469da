"""Rounds of a grid that is struck at a random moment, and launched again until it is finished."""

import random
import signal

import pytest
from chaos.killing import NUM_RUNS, WIDTH, Fault, Round, wait_until_gone

ROUNDS = range(44)
PAIRS = range(8)


def keywords(rng):
    isolation = rng.choice(["warm"] * 5 + ["fresh"])
    return {"parallel": WIDTH, "isolation": isolation}


def check_finished(chaos, undisturbed, faults):
    """All is as if nothing had happened, and nothing was done twice that had not been broken off."""
    log = chaos.log()
    names = [f"{fault.victim}:{fault.number.name}:{fault.moment}" for fault in faults]
    print("ROUND", chaos.keywords["isolation"], chaos.launches, "launches", *names)
    statuses = chaos.statuses()
    assert [status["state"] for status in statuses.values()] == ["done"] * NUM_RUNS, log
    assert chaos.outcome() == undisturbed
    assert chaos.processes() == []
    assert chaos.litter() == []
    begun, ended = chaos.events("begun"), chaos.events("ended")
    most_lost = sum(fault.most_lost for fault in faults)
    assert set(ended) == set(statuses)
    # A run that is hit between its last line and its "done" may end twice, and no other.
    assert begun.total() <= NUM_RUNS + most_lost, log
    for name, status in statuses.items():
        assert begun[name] <= status["attempt"] <= chaos.launches, (name, log)


def check_interrupted(chaos, before):
    """Who asks a launcher to stop finds every run that it began at an end, and said to be interrupted."""
    # What a killed launcher had left, and this one had not come to, is as it was.
    now = [status for name, status in chaos.statuses().items() if status != before.get(name)]
    ends = {(status["state"], status["reason"]) for status in now}
    assert ends <= {("done", None), ("failed", "interrupted")}, chaos.log()
    assert chaos.processes() == []


def check_kept(chaos, done, begun):
    """What was done has not run again."""
    again = chaos.events("begun")
    assert {name: again[name] for name in done} == {name: begun[name] for name in done}, chaos.log()


def done_runs(chaos):
    return [name for name, status in chaos.statuses().items() if status["state"] == "done"]


@pytest.mark.parametrize("number", ROUNDS)
def test_a_struck_grid_finishes_as_if_nothing_had_happened(number, project, undisturbed, tmp_path):
    rng = random.Random(number)
    chaos = Round(project, tmp_path, keywords(rng))
    faults = []
    for _ in range(rng.choice([1, 1, 1, 2])):
        fault = Fault.draw(rng)
        before = chaos.statuses()
        launcher = chaos.launch()
        if chaos.strike(launcher, fault, rng):
            faults.append(fault)
        code = chaos.finish(launcher)
        if fault.victim != "launcher":
            assert chaos.processes() == []  # the launcher itself lives, and cleans up
        elif fault.number is not signal.SIGKILL and code != 0:
            if code < 0:  # it was still planning, and died of the signal; its server follows it
                wait_until_gone(chaos.processes())
            check_interrupted(chaos, before)
        if rng.random() < 0.5:  # else the next launcher meets what the last one has left
            wait_until_gone(chaos.processes())
            done, begun = done_runs(chaos), chaos.events("begun")
        else:
            done, begun = [], {}
    assert chaos.finish(chaos.launch()) == 0, chaos.log()
    check_kept(chaos, done, begun)
    check_finished(chaos, undisturbed, faults)


@pytest.mark.parametrize("number", PAIRS)
def test_two_launchers_share_a_grid_also_when_one_is_struck(number, project, undisturbed, tmp_path):
    rng = random.Random(1_000 + number)
    chaos = Round(project, tmp_path, keywords(rng))
    first, second = chaos.launch(), chaos.launch()
    faults = []
    if number % 2:
        fault = Fault.draw(rng)
        if chaos.strike(first, fault, rng):
            faults.append(fault)
    codes = [chaos.finish(first), chaos.finish(second)]
    if not faults:
        assert codes == [0, 0], chaos.log()
        assert set(chaos.events("begun").values()) == {1}
    else:
        wait_until_gone(chaos.processes())
        assert chaos.finish(chaos.launch()) == 0, chaos.log()
    check_finished(chaos, undisturbed, faults)
