"""Statistics over seeds and tasks: pure functions of arrays; all randomness comes in as ``rng``.

Which method is used when, and why: docs/statistics.md.
"""
