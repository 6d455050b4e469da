"""Thunks that run in child processes, which import this module by its name."""

import os
import signal
import sys
from pathlib import Path


def add(a, b=1):
    return a + b


def tell(**kwargs):
    return sorted(kwargs)


def speak(text="hello"):
    print(text)
    print("to stderr", file=sys.stderr)


def fail(message="boom", lr=0):
    raise ValueError(message)


def fail_sometimes(lr):
    if lr == 2:
        raise ValueError("two is too much")
    return lr


def fail_while_another_runs(i, fifo):
    with open(fifo, "w" if i == 1 else "r"):  # each waits for the other
        if i == 1:
            signal.pause()
        raise ValueError(i)


def leave(code=3):
    os._exit(code)


def exit_with(code):
    sys.exit(code)


def die(number=int(signal.SIGKILL)):
    os.kill(os.getpid(), number)


def surroundings():
    return {
        "cwd": str(Path.cwd()),
        "sys_path": sys.path,
        "session": os.getsid(0),
        "pid": os.getpid(),
        "argv": Path("/proc/self/cmdline").read_text() if Path("/proc/self/cmdline").exists() else "",
    }


def make_env(env_fn, env_name=None):
    env = env_fn()
    name = env.spec.id
    env.close()
    return name


def log(logger_kwargs, seed, lr=1, **kwargs):
    from spinup import EpochLogger

    with EpochLogger(**logger_kwargs, console=False) as logger:
        logger.save_config(locals())
        for epoch in range(3):
            logger.store(EpRet=lr * epoch)
            logger.log_tabular("Epoch", epoch)
            logger.log_tabular("EpRet")
            logger.dump_tabular()


class Trainer:
    def __init__(self, gain=2):
        self.gain = gain

    def train(self, x):
        return self.gain * x

    def __call__(self, x):
        return self.gain * x
