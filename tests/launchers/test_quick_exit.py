"""A forked run leaves behind what a run in a fresh interpreter leaves, and ends when that would."""

import json
import shelve
import sys
import zipfile

import pytest

if sys.platform != "linux":
    pytest.skip("runs are forked on Linux alone", allow_module_level=True)

from spinup.launchers.local import LocalLauncher
from spinup.testing import Bench

#: Source of a module of the project's, what calls it, and what is in the directory `left` afterwards.
LEFT = {
    "zipfile": (
        "import zipfile\narchive = zipfile.ZipFile('left/x.zip', 'w')\narchive.writestr('name', 'text')",
        lambda left: zipfile.ZipFile(left / "x.zip").read("name") == b"text",
    ),
    "zipfile of a module that something else holds": (
        (
            "import logging, sys, zipfile\n"
            "logging.held = [sys.modules[__name__], lambda: archive]\n"
            "archive = zipfile.ZipFile('left/x.zip', 'w')\narchive.writestr('name', 'text')"
        ),
        lambda left: zipfile.ZipFile(left / "x.zip").read("name") == b"text",
    ),
    "zipfile in __main__": (
        (
            "import __main__, zipfile\n"
            "__main__.archive = zipfile.ZipFile('left/x.zip', 'w')\n"
            "__main__.archive.writestr('name', 'text')"
        ),
        lambda left: zipfile.ZipFile(left / "x.zip").read("name") == b"text",
    ),
    "shelf": (
        (
            "import shelve\nshelf = shelve.open('left/shelf', writeback=True)\n"
            "shelf['a'] = []\nshelf['a'].append(1)"
        ),
        lambda left: dict(shelve.open(str(left / "shelf"))) == {"a": [1]},  # noqa: SIM115 - closed at once
    ),
    "temporary file": (
        "import tempfile\nfile = tempfile.NamedTemporaryFile(dir='left')",
        lambda left: list(left.iterdir()) == [],
    ),
    "frozen stream": (
        "import gc, sys\nsys.kept = [open('left/text', 'w')]\nsys.kept[0].write('text')\ngc.freeze()",
        lambda left: (left / "text").read_text() == "text",
    ),
    "finalizer that uses its module": (
        (
            "import json\nPATH = 'left/json'\n"
            "class Writer:\n"
            "    def __del__(self):\n"
            "        with open(PATH, 'w') as file:\n"
            "            json.dump([1], file)\n"
            "writer = Writer()"
        ),
        lambda left: json.loads((left / "json").read_text()) == [1],
    ),
    "stream beside a thread that is blocked in a write": (
        (
            "import os, threading\n"
            "ready, pipe = os.pipe()\n"
            "out = os.fdopen(pipe, 'wb')\n"
            "threading.Thread(target=out.write, args=(b'x' * 1_000_000,), daemon=True).start()\n"
            "os.read(ready, 1)  # the thread has the stream now\n"
            "kept = open('left/text', 'w')\nkept.write('text')\n"
        ),
        lambda left: (left / "text").read_text() == "text",
    ),
    "handler of a C library that needs the interpreter": (
        (
            "import ctypes, threading\n"
            "library = ctypes.CDLL(None)\n"
            "create, join = library.pthread_create, library.pthread_join\n"
            "@ctypes.CFUNCTYPE(None)\n"
            "def work(): pass\n"
            "@ctypes.CFUNCTYPE(None)\n"
            "def handler(ctypes=ctypes, create=create, join=join, work=work):\n"
            "    thread = ctypes.c_ulong()\n"
            "    create(ctypes.byref(thread), None, work, None)\n"
            "    join(thread, None)\n"
            "    open('left/handler', 'w').close()\n"
            "ctypes.pythonapi.Py_IncRef(ctypes.py_object(handler))\n"
            "import sys; sys.held = [work, handler, create, join, library, ctypes]\n"
            "library.on_exit(handler, None)\n"
        ),
        lambda left: (left / "handler").exists(),
    ),
}


# An interpreter that is torn down cannot do these.
BEYOND_FRESH = ("that uses its module", "that needs the interpreter")
WAYS = [(what, "warm") for what in LEFT]
WAYS += [(what, "fresh") for what in LEFT if not what.endswith(BEYOND_FRESH)]


@pytest.mark.parametrize(("what", "isolation"), WAYS)
def test_what_a_run_leaves_open_is_finished(tmp_path, monkeypatch, what, isolation):
    source, is_well = LEFT[what]
    (tmp_path / "left").mkdir()
    (tmp_path / "own_x.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def thunk():
        import own_x

        assert own_x

    with Bench(LocalLauncher, tmp_path / "data") as bench:
        job = bench.prepare(0, thunk)
        bench.launch(0, job, isolation=isolation, modules=("spinup.jobs.child", "zipfile", "shelve"))
        assert bench.wait_for_end(0).code == 0, job.run_dir.output.read_text()
    assert is_well(tmp_path / "left")
    assert job.run_dir.output.read_text() == ""


def test_a_handler_that_never_returns_is_left_behind(tmp_path, monkeypatch):
    def thunk():
        import ctypes

        library = ctypes.CDLL(None)
        library.on_exit(library.pause, None)

    with Bench(LocalLauncher, tmp_path / "data") as bench:
        job = bench.prepare(0, thunk)
        bench.launch(0, job, isolation="warm")
        bench.wait_for_end(0)
    assert '"done"' in job.run_dir.status.read_text()
