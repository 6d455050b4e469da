"""Several independent streams of random numbers from the one seed of a run."""

from __future__ import annotations


def spawn_seeds(seed: int, number: int = 2) -> list[int]:
    """Seeds for ``number`` streams that share nothing with each other, nor with those of another seed.

    Stream k of run ``seed`` is ``numpy.random.SeedSequence(seed).spawn(number)[k]``, and its seed the first
    32 bits of that: ``generate_state(1)[0]``. More streams begin with the same ones. Unlike those of
    ``seed + 1000``, they are not the seeds of other runs.

    Example::

        def my_algo(env_fn, seed=0, logger_kwargs=dict()):
            train, evaluation = spawn_seeds(seed)
            env.reset(seed=train)
            evaluation_env.reset(seed=evaluation)

    Args:
        seed: The seed of the run, 0 or more.
        number: How many streams.

    Raises:
        ValueError: ``seed`` is negative.
    """
    from numpy.random import SeedSequence  # noqa: PLC0415 - a grid is built without NumPy

    return [int(stream.generate_state(1)[0]) for stream in SeedSequence(seed).spawn(number)]
