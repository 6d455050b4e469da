"""A run that can be killed at any moment: it goes on from the last row, to the same end."""

import os
import random
import time

from spinup import EpochLogger

ROWS = 6


def walk(seed, lr, logger_kwargs):
    """A random walk, whose every row is a state to go on from; gives where it ended."""
    note("begun", lr, seed)
    with EpochLogger(**logger_kwargs, console=False) as logger:
        logger.save_config({"rows": ROWS})
        state = logger.restore() or {
            "row": 0,
            "position": 0.0,
            "random": random.Random(seed).getstate(),
        }
        rng = random.Random()
        rng.setstate(state["random"])
        position = state["position"]
        for row in range(state["row"], ROWS):
            position += lr * rng.gauss(0, 1)
            work(0.003)
            logger.store(Step=position)
            logger.log_tabular("Row", row)
            logger.log_tabular("Position", position)
            logger.log_tabular("Step", with_min_and_max=True)
            logger.dump_tabular()
            logger.save_state({"row": row + 1, "position": position, "random": rng.getstate()})
    note("ended", lr, seed)
    return position


def work(time_s):
    """Keep a core busy."""
    end_s = time.perf_counter() + time_s
    while time.perf_counter() < end_s:
        pass


def note(event, lr, seed):
    """Add a line to the diary of the round, whole even beside other writers."""
    file = os.open(os.environ["CHAOS_DIARY"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.write(file, f"{event} {lr} {seed}\n".encode())
    os.close(file)
