"""Run directories as launchers and loggers leave them, without running anything."""

import json
import socket
import subprocess
import sys
from contextlib import contextmanager

HOLD = """
import sys
from pathlib import Path
from spinup.rundir.layout import RunDir
from spinup.rundir.lock import locked
with locked(RunDir(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


def make_run(data_dir, name="g_lr1", seed=0, state="done", returns=(1.0, 2.0), config=None, **fields):
    """A run's directory; with ``state=None`` one of Spinning Up's, which has no status."""
    directory = data_dir / name / f"{name}_s{seed}"
    directory.mkdir(parents=True)
    config = {"exp_name": name, "seed": seed, "lr": 1, **(config or {})}
    (directory / "config.json").write_text(json.dumps(config))
    rows = [f"{epoch}\t{value}\n" for epoch, value in enumerate(returns)]
    (directory / "progress.txt").write_text("".join(["Epoch\tAverageEpRet\n", *rows]))
    if state is not None:
        status = {
            "state": state,
            "exp_name": name,
            "seed": seed,
            "identity": "0",
            "host": socket.gethostname(),
            "started_at": "2026-01-01T10:00:00.000Z",
            "ended_at": "2026-01-01T10:01:40.000Z" if state in {"done", "failed"} else None,
            **fields,
        }
        (directory / "status.json").write_text(json.dumps(status))
    return directory


@contextmanager
def held(directory):
    """The run's lock is held by another process."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline() == b"held\n"
        yield process
    finally:
        process.kill()
        process.communicate()
