"""What ``ExperimentGrid.print`` shows: all that a grid was told, and how many runs it makes."""

from __future__ import annotations

import json
import linecache
import math
from itertools import islice
from typing import TYPE_CHECKING, Any

from spinup import console
from spinup.fingerprint import fingerprint
from spinup.grid.names import value_text
from spinup.grid.part import Part
from spinup.grid.space import Space
from spinup.grid.union import Union
from spinup.grid.variants import ABSENT
from spinup.rundir.config import to_json

if TYPE_CHECKING:
    from types import CodeType

    from spinup.grid import Grid, Parameter
    from spinup.grid.axes import Ablation, Axis
    from spinup.grid.space import Source

_MOST_VALUES = 20
_MOST_COUNTED = 100_000
_LONGEST_SOURCE = 100


def grid_report(grid: Grid) -> None:
    """Print the grid's name, what it was told, and how many variants and directories it makes."""
    console.divider()
    _source_report(grid.source, "")
    _count_report(grid.source)
    console.divider()


def _source_report(source: Source, indent: str) -> None:
    if isinstance(source, Part):
        console.say(f"{indent}{_places_text(source)} of this grid:\n", "green", bold=True)
        _source_report(source.whole, indent)
    elif isinstance(source, Union):
        console.say(f"{indent}{len(source.members)} grids as one:\n", "green", bold=True)
        for member in source.members:
            _source_report(member, indent)
    elif isinstance(source, Space):
        name = console.one_line(source.name)
        console.say(f"{indent}ExperimentGrid [{name}] runs over parameters:\n", "green", bold=True)
        _space_report(source)


def _space_report(space: Space) -> None:
    for axis in space.axes:
        if axis.ablation is not None:
            _ablation_report(axis, axis.ablation)
        elif len(axis.parameters) > 1:
            _paired_report(axis)
        else:
            _parameter_report(axis.parameters[0])
        _condition_report(axis.when)
    for derived in space.derived:
        _heading(derived.key, derived.shorthand if derived.in_name else None)
        console.say(f"\tderived: {function_text(derived.function)}\n")
        _condition_report(derived.when)
    for a_filter in space.filters:
        console.say(f" {a_filter.verb}: {function_text(a_filter.predicate)}\n", "cyan")
    if space.sample is not None:
        console.say(f" a sample of {space.sample.n} of these, by seed {space.sample.seed}\n", "cyan")


def _heading(key: str, shorthand: str | None) -> None:
    text = "" if shorthand is None else f"[{shorthand}]"
    console.say(f" {console.one_line(key):<40} {console.one_line(text)}\n", "cyan", bold=True)


def _parameter_report(parameter: Parameter) -> None:
    _heading(parameter.key, parameter.shorthand)
    if parameter.distribution is not None:
        console.say(f"\tdrawn from {console.one_line(repr(parameter.distribution))}\n")
        return
    texts = [_value_text(value) for value in parameter.values[:_MOST_VALUES]]
    if parameter.labels is not None:
        texts = [f"{label}: {text}" for label, text in zip(parameter.labels, texts, strict=False)]
    _lines(texts, len(parameter.values))


def _paired_report(axis: Axis) -> None:
    shorthands = [p.key if p.shorthand is None else p.shorthand for p in axis.parameters]
    _heading(", ".join(axis.keys), ", ".join(shorthands))
    _lines([", ".join(map(_value_text, row)) for row in axis.rows[:_MOST_VALUES]], len(axis.rows))


def _ablation_report(axis: Axis, ablation: Ablation) -> None:
    _heading("an ablation", None)
    texts = [f"{key}: {_value_text(value)}" for key, value in ablation.baseline.items()]
    console.say(f"\tbaseline: {', '.join(texts) or 'the defaults'}")
    changes = zip(axis.changes or (), axis.rows, strict=True)
    lines = []
    for change, row in islice(changes, 1, _MOST_VALUES + 1):
        values = dict(zip(axis.keys, row, strict=True))
        lines.append(", ".join(f"{key}: {_value_text(values[key])}" for key in change.keys))
    _lines(lines, len(axis.rows) - 1)


def _lines(texts: list[str], number: int) -> None:
    for text in texts:
        console.say(f"\t{console.one_line(text)}")
    if number > len(texts):
        console.say(f"\t... and {number - len(texts)} more")
    console.say()


def _condition_report(when: Any) -> None:
    if when is not None:
        console.say(f"\twhen: {function_text(when)}\n")


def _value_text(value: object) -> str:
    if value is ABSENT:
        return "(not given)"
    content = to_json(value)
    return content if isinstance(content, str) else json.dumps(content)


def function_text(function: Any) -> str:
    """What a function computes, if it is a lambda in a file that is there; else its name."""
    code = getattr(function, "__code__", None)
    name = value_text(function)
    if code is None or name != "<lambda>":
        return console.one_line(name)
    body = _body(code)
    if not body:
        return f"a lambda in line {code.co_firstlineno} of {console.one_line(code.co_filename)}"
    return body if len(body) <= _LONGEST_SOURCE else f"{body[:_LONGEST_SOURCE]}..."


def _body(code: CodeType) -> str:
    """What a lambda computes, if it is in one line of a file that is there; else nothing."""
    number = code.co_firstlineno
    # Positions count bytes. What has no width is where the function begins.
    spans = [span for span in code.co_positions() if span[2] != span[3]]
    columns = [(begin, end) for _, _, begin, end in spans if begin is not None and end is not None]
    if not columns or any(span[:2] != (number, number) for span in spans):
        return ""
    line = linecache.getline(code.co_filename, number).encode()
    body = line[min(begin for begin, _ in columns) : max(end for _, end in columns)]
    return console.one_line(body.decode("utf-8", "replace"))


def _absence_report(source: Source, absent: list[str]) -> None:
    """Say which conditions hold for no variant; of a part it is no news that it lacks something."""
    axes = source.axes if isinstance(source, Space) else ()
    conditional = {key for axis in axes if axis.when is not None for key in axis.keys}
    for key in absent:
        if key in conditional:
            text = f" No variant has {console.one_line(key)}: its condition holds for none of them."
            console.say(f"{text}\n", "yellow")


def _places_text(part: Part) -> str:
    places = part.places
    if isinstance(places, range):
        step = f", every {places.step}th" if places.step != 1 else ""
        return f"Numbers {places.start} to {places[-1]}{step}" if places else "None"
    texts = [str(place) for place in places[:_MOST_VALUES]]
    more = ", ..." if len(places) > len(texts) else ""
    return f"Numbers {', '.join(texts)}{more}"


def _count_report(source: Source) -> None:
    if (
        isinstance(source, Space)
        and source.sample is None
        and any(p.distribution for p in source.parameters)
    ):
        console.say(" Variants: as many as are drawn from the distributions; say how many with sample(n)\n")
        return
    counts = _product_counts(source) if _is_whole_product(source) else _walked_counts(source)
    texts = ("Variants, counting seeds:", "Variants, not counting seeds:", "Directories, one for each run:")
    for text, count in zip(texts, counts, strict=True):
        console.say(f" {text:<31} {count:>16}")
    console.say()


def _is_whole_product(source: Source) -> bool:
    return isinstance(source, Space) and source.is_product


def _product_counts(source: Source) -> list[str]:
    """Variants with and without seeds, and directories, of a grid of any size."""
    seeds = next((len(p.values) for p in source.parameters if p.key == "seed"), 1)
    axes = source.axes if isinstance(source, Space) else ()
    different = math.prod(len(set(map(fingerprint, axis.rows))) for axis in axes)
    return [str(source.count()), str(source.count() // seeds), str(different)]


def _walked_counts(source: Source) -> list[str]:
    """As `_product_counts`, by looking at each variant, if they are not too many."""
    seed_at = source.columns.index("seed") if "seed" in source.columns else None
    number, names, runs = 0, set(), set()
    if source.is_product and source.count() > _MOST_COUNTED:
        return [str(source.count()), "as many, or fewer", "as many, or fewer"]
    found: set[int] = set()
    for values, name, _ in islice(source.rows(), _MOST_COUNTED):
        number += 1
        found.update(at for at, value in enumerate(values) if value is not ABSENT)
        names.add(name)
        runs.add((name, 0 if seed_at is None else fingerprint(values[seed_at])))
    more = "more than " if number == _MOST_COUNTED else ""
    if not more:
        _absence_report(source, [key for at, key in enumerate(source.columns) if at not in found])
    return [f"{more}{number}", f"{more}{len(names)}", f"{more}{len(runs)}"]
