"""Feeds the command line of ``spinup run`` with what libFuzzer finds; needs the extra ``fuzz``.

Run: ``python tests/fuzz/fuzz_flags.py [--seconds 60]``

What must hold: parsing raises nothing but UsageError; what is parsed and rendered is parsed again; values
are read or refused, and reading them imports no module that their text does not name; what a placeholder
is filled with comes out as it was.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

import atheris  # noqa: E402 - the path comes first

with atheris.instrument_imports(include=["spinup.cli", "spinup.utils.shell"]):
    import cli.rendering
    from click import UsageError

    from spinup.cli import flags, kinds, names, options, ranges, values
    from spinup.errors import ThunkError
    from spinup.utils.shell import ShellCommand, fill

assert ranges is not None
KINDS = [None, *(kinds.kind_of(a, {}) for a in (str, int, float, bool, dict, "int | str", "float | None"))]
counts: Counter[str] = Counter()
end_s = [math.inf]
corpus = tempfile.TemporaryDirectory()
SEEDS = (
    "ars --lr 1e-3 1_0 -1 --hid[h] [32,32] (1,) {'a':1} --seed 0:5 log(1e-5,1e-2,4) lin(0,1,5) 0:10:2",
    "train.py:f --act math.sqrt json.dumps no.such train.py --+timeout=--x --use_gae --env= 'x'",
    "--lr 1 --timeout 2h --memory 4GB --gpus [0,2] --only 1:3 --dt -- python {lr} {{x}} {ac:b} {seed}",
    "f --x inf nan None true True 12:30 [1, ]2 '1 __import__('os').system('x') --help",
)


def check(data: bytes) -> None:
    """One round: words out of bytes, through all of the parser."""
    if time.monotonic() > end_s[0]:
        print(f"No failure: {dict(counts)}", flush=True)
        corpus.cleanup()
        os._exit(0)  # libFuzzer ends a process itself, and nothing of Python's would be printed
    provider = atheris.FuzzedDataProvider(data)
    kind = KINDS[provider.ConsumeIntInRange(0, len(KINDS) - 1)]
    text = provider.ConsumeUnicodeNoSurrogates(len(data))
    words = text.split("\0")
    counts["inputs"] += 1
    try:
        line = flags.parse(words)
    except UsageError:
        counts["refused by the parser"] += 1
        line = flags.CommandLine()
    else:
        counts["parsed"] += 1
        assert flags.parse(cli.rendering.render(line)) == line, words
    for flag in line.flags:
        read(flag, kind)
        set_option(flag)
    for word in [*words, *(line.command or ())]:
        fill_word(word)


def read(flag: flags.Flag, kind: kinds.Kind | None) -> None:
    """Read the values of a flag, with the real lookup of names."""
    try:
        found = values.read_values(str(flag), flag.texts, kind, resolver)
    except UsageError:
        counts["values refused"] += 1
        return
    counts["values read"] += len(found)
    for text, value in zip(flag.texts, found, strict=False):
        if (
            kind is None
            and isinstance(value, (str, int, float, bool, type(None)))
            and len(found) == len(flag.texts)
        ):
            rendered = cli.rendering.render_value(value)
            (again,) = values.read_values("--x", [rendered], None, lambda _: values.MISSING)
            assert again == value or (isinstance(value, float) and math.isinf(value)), (text, value)


def set_option(flag: flags.Flag) -> None:
    """Give the values to every option."""
    for option in options.ALL:
        try:
            option.value(flag)
        except UsageError:
            continue


def fill_word(word: str) -> None:
    """Take a word for one of a command's."""
    try:
        placeholders = ShellCommand((word,)).placeholders
    except ThunkError:
        counts["words refused"] += 1
        return
    mark = "\1{}"
    if not any(":" in name for name in placeholders):
        filled = fill(word, dict.fromkeys(placeholders, mark))
        assert filled.count(mark) >= len(placeholders), word
    counts["words filled"] += 1


def guarded_import(name: str, *rest: object) -> object:
    """An import that is counted, and that only a text may ask for."""
    assert name.partition(".")[0] in current_names, name
    counts["imports"] += 1
    raise ImportError("no module is run by a fuzzer")


class WatchedResolver(names.Resolver):
    """Knows which text it is asked about."""

    def __call__(self, text: str) -> object:
        current_names[:] = text.split(".")[:1]
        try:
            return super().__call__(text)
        except UsageError:
            return values.MISSING


current_names: list[str] = []
resolver = WatchedResolver({"math": math}, lambda _: None)


def main() -> None:
    """Fuzz for so many seconds, and say what was seen; a failure ends it with the input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    names.importlib = argparse.Namespace(import_module=guarded_import)  # type: ignore[assignment]
    assert importlib.import_module is not guarded_import
    end_s[0] = time.monotonic() + seconds
    for number, seed in enumerate(SEEDS):
        Path(corpus.name, str(number)).write_bytes(b"\x01" + "\0".join(seed.split()).encode() + b"\0")
    atheris.Setup([sys.argv[0], "-max_len=512", "-verbosity=0", corpus.name], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
