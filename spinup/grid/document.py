"""A grid as what TOML can say, and back: nothing is lost, or it is an error that names the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from spinup.errors import GridError
from spinup.grid.distributions import Choice, IntUniform, LogUniform, Uniform
from spinup.grid.part import Part
from spinup.grid.space import Space
from spinup.grid.toml_values import check_list, decode, encode, encode_dict, refer, resolve
from spinup.grid.union import Union

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spinup.grid.axes import Ablation, Axis
    from spinup.grid.distributions import Distribution
    from spinup.grid.functions import Derived
    from spinup.grid.grid import Grid
    from spinup.grid.parameters import Parameter
    from spinup.grid.space import Source

AnyGrid = TypeVar("AnyGrid", bound="Grid")

#: What a grid's file can say beside the grid: what `spinup run` is to do with it.
_LAUNCH_KEYS = frozenset({"thunk", "command", "run"})

_RANGES: Mapping[str, type] = {"uniform": Uniform, "log_uniform": LogUniform, "int_uniform": IntUniform}


# -- To a document


def to_document(source: Source) -> dict[str, Any]:
    """What TOML can say of ``source``, as nested dicts and lists.

    Raises:
        GridError: It cannot say all of it; names what.
    """
    if isinstance(source, Part):
        return {"part": _part_table(source)}
    if isinstance(source, Union):
        return {"union": [to_document(member) for member in source.members]}
    if not isinstance(source, Space):
        raise GridError(f"A {type(source).__name__} cannot be saved.")
    document: dict[str, Any] = {"name": encode(source.name, "The name of the grid")}
    if source.axes:
        document["parameter"] = [_axis_table(axis) for axis in source.axes]
    if source.derived:
        document["derived"] = [_derived_table(derived) for derived in source.derived]
    if source.filters:
        document["filter"] = [
            {item.verb: refer(item.predicate, f"The function of {item.verb}")} for item in source.filters
        ]
    if source.sample is not None:
        document["sample"] = {"n": source.sample.n, "seed": source.sample.seed}
    return document


def _part_table(part: Part) -> dict[str, Any]:
    table: dict[str, Any] = {"of": to_document(part.whole)}
    if isinstance(part.places, range):
        return {"start": part.places.start, "stop": part.places.stop, "step": part.places.step, **table}
    return {"numbers": list(part.places), **table}


def _axis_table(axis: Axis) -> dict[str, Any]:
    if axis.ablation is not None:
        return _ablation_table(axis.ablation)
    table = _paired_table(axis) if len(axis.parameters) > 1 else _parameter_table(axis.parameters[0])
    if axis.when is not None:
        table["when"] = refer(axis.when, f"The condition of {', '.join(map(repr, axis.keys))}")
    return table


def _parameter_table(parameter: Parameter) -> dict[str, Any]:
    what = f"A value of {parameter.key!r}"
    table: dict[str, Any] = {"key": encode(parameter.key, "A key")}
    if parameter.is_drawn:
        table["distribution"] = _range_table(parameter.distribution, what)
    else:
        table["values"] = [encode(value, what) for value in parameter.values]
        if isinstance(parameter.distribution, Choice):
            table["distribution"] = {"kind": "choice"}
    if parameter.labels is not None:
        table["labels"] = [encode(label, f"A label of {parameter.key!r}") for label in parameter.labels]
    table["shorthand"] = _shorthand(parameter)
    if parameter.in_name and not parameter.is_drawn:
        table["in_name"] = True
    return table


def _range_table(distribution: Distribution | None, what: str) -> dict[str, Any]:
    kind = next((name for name, cls in _RANGES.items() if type(distribution) is cls), None)
    if kind is None:
        raise GridError(
            f"{what} cannot be saved: {type(distribution).__name__} is no distribution of ours."
        )
    return {"kind": kind, **vars(distribution)}


def _paired_table(axis: Axis) -> dict[str, Any]:
    keys = axis.keys
    table: dict[str, Any] = {
        "keys": keys,
        "rows": [
            [encode(value, f"A value of {key!r}") for key, value in zip(keys, row, strict=True)]
            for row in axis.rows
        ],
    }
    table["shorthand"] = [_shorthand(parameter) for parameter in axis.parameters]
    if axis.parameters[0].in_name:
        table["in_name"] = True
    return table


def _ablation_table(ablation: Ablation) -> dict[str, Any]:
    baseline = encode_dict(ablation.baseline, "The baseline's value")
    drop = encode_dict({key: list(values) for key, values in ablation.drop.items()}, "A change")
    table: dict[str, Any] = {"order": ablation.order}
    if ablation.shorthands:
        table["shorthand"] = dict(ablation.shorthands)
    return {**table, "baseline": baseline, "drop": drop}


def _derived_table(derived: Derived) -> dict[str, Any]:
    key = derived.key
    table: dict[str, Any] = {"key": key, "function": refer(derived.function, f"The function of {key!r}")}
    table["shorthand"] = _shorthand(derived)
    if derived.in_name:
        table["in_name"] = True
    if derived.when is not None:
        table["when"] = refer(derived.when, f"The condition of {key!r}")
    return table


def _shorthand(item: Parameter | Derived) -> str:
    # Always: what is left out depends on the settings of whoever reads the file.
    shorthand = item.key if item.shorthand is None else item.shorthand
    return str(encode(shorthand, f"The shorthand of {item.key!r}"))


# -- From a document


def build_grid(document: Any, cls: type[AnyGrid]) -> AnyGrid:
    """The grid that `to_document` was given, as a ``cls``.

    What else ``spinup run`` reads in a grid's file, the keys thunk, command and run, is passed over.

    Raises:
        GridError: The document says something else; says what and where.
    """
    return _build(document, cls, _LAUNCH_KEYS)


def _build(document: Any, cls: type[AnyGrid], passed_over: frozenset[str] = frozenset()) -> AnyGrid:
    allowed = {"name", "parameter", "derived", "filter", "sample", "part", "union", *passed_over}
    found = _table(document, "A grid", allowed)
    tables = {key: table for key, table in found.items() if key not in passed_over}
    if "part" in tables or "union" in tables:
        if len(tables) > 1:
            raise GridError("A [part] or [[union]] cannot stand beside anything else.")
        return _build_part(tables["part"], cls) if "part" in tables else _build_union(tables["union"], cls)
    grid = cls(tables.get("name", ""))
    for table in _tables(tables, "parameter"):
        _add_axis(grid, table)
    for table in _tables(tables, "derived"):
        _add_derived(grid, table)
    for table in _tables(tables, "filter"):
        _add_filter(grid, table)
    if "sample" in tables:
        sample = _table(tables["sample"], "[sample]", {"n", "seed"}, {"n"})
        grid.sample(sample["n"], sample.get("seed", 0))
    return grid


def _build_part(part: Any, cls: type[AnyGrid]) -> AnyGrid:
    table = _table(part, "[part]", {"of", "start", "stop", "step", "numbers"}, {"of"})
    whole = _build(table["of"], cls)
    if "numbers" in table:
        if not isinstance(table["numbers"], list):
            raise GridError("[part] needs numbers = [...], a list.")
        return whole.part(table["numbers"])
    start, stop, step = (_integer(table, key) for key in ("start", "stop", "step"))
    if step == 0 or start < 0 or stop < -1:
        raise GridError("[part] needs start and stop from 0, and a step that is not 0.")
    # A range that counts down to the first ends at -1, which in a slice would be the last.
    return whole.part(slice(start, None if stop < 0 else stop, step))


def _build_union(members: Any, cls: type[AnyGrid]) -> AnyGrid:
    if not isinstance(members, list) or not members:
        raise GridError("[[union]] needs a grid or more.")
    grid, *others = [_build(member, cls) for member in members]
    for other in others:
        grid = grid | other
    return grid


def _add_axis(grid: Grid, table: Any) -> None:
    if isinstance(table, dict) and "drop" in table:
        known = _table(table, "An ablation", {"baseline", "drop", "order", "shorthand"}, {"drop"})
        grid.ablate(
            _dict(decode(known.get("baseline", {}), "baseline"), "baseline"),
            _dict(decode(known["drop"], "drop"), "drop"),
            known.get("order", 1),
            _dict(known.get("shorthand", {}), "shorthand"),
        )
    elif isinstance(table, dict) and "keys" in table:
        known = _table(
            table, "Paired parameters", {"keys", "rows", "shorthand", "in_name", "when"}, {"rows"}
        )
        rows = check_list(known["rows"], "rows")
        keys = check_list(known["keys"], "keys")
        grid.add_paired(
            keys,
            [[decode(value, "rows") for value in check_list(row, "A row")] for row in rows],
            check_list(known.get("shorthand", [None] * len(keys)), "shorthand"),
            in_name=_flag(known),
            when=_when(known),
        )
    else:
        _add_parameter(grid, table)


def _add_parameter(grid: Grid, table: Any) -> None:
    allowed = {"key", "values", "distribution", "labels", "shorthand", "in_name", "when"}
    known = _table(table, "A parameter", allowed, {"key"})
    key = known["key"]
    if "values" not in known and "distribution" not in known:
        raise GridError(f"The parameter {key!r} needs values = [...] or a distribution.")
    values: Any = [
        decode(value, key) for value in check_list(known.get("values", []), f"values of {key!r}")
    ]
    if "distribution" in known:
        values = _distribution(known["distribution"], values, key)
    grid.add(
        key, values, known.get("shorthand"), _flag(known), when=_when(known), labels=known.get("labels")
    )


def _distribution(table: Any, values: list[Any], key: str) -> Distribution:
    known = _table(table, f"The distribution of {key!r}", {"kind", "low", "high", "digits"}, {"kind"})
    kind, numbers = known["kind"], {name: value for name, value in known.items() if name != "kind"}
    if kind == "choice":
        return Choice(values)
    if kind not in _RANGES:
        kinds = ", ".join(map(repr, [*_RANGES, "choice"]))
        raise GridError(f"The distribution of {key!r} must be of the kind {kinds}, not {kind!r}.")
    try:
        distribution: Distribution = _RANGES[kind](**numbers)
    except TypeError as error:
        raise GridError(f"The distribution of {key!r} needs low and high: {error}.") from error
    return distribution


def _add_derived(grid: Grid, table: Any) -> None:
    allowed = {"key", "function", "shorthand", "in_name", "when"}
    known = _table(table, "A derived value", allowed, {"key", "function"})
    function = resolve(known["function"], f"The function of {known['key']!r}")
    grid.derive(known["key"], function, known.get("shorthand"), in_name=_flag(known), when=_when(known))


def _add_filter(grid: Grid, table: Any) -> None:
    known = _table(table, "A filter", {"only", "exclude"})
    if len(known) != 1:
        raise GridError("A filter needs either only = 'module:name' or exclude = 'module:name'.")
    ((verb, name),) = known.items()
    add = grid.only if verb == "only" else grid.exclude
    add(resolve(name, f"The function of {verb}"))


def _when(table: Mapping[str, Any]) -> Callable[[Any], Any] | None:
    return resolve(table["when"], "A condition") if "when" in table else None


# -- What a document must look like


def _table(table: Any, what: str, allowed: set[str], required: set[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(table, dict):
        raise GridError(f"{what} must be a table, not {table!r}.")
    unknown = sorted(set(table) - allowed)
    missing = sorted((required or set()) - set(table))
    if unknown:
        raise GridError(f"{what} has no {unknown[0]!r}. It can have: {', '.join(sorted(allowed))}.")
    if missing:
        raise GridError(f"{what} needs {missing[0]!r}.")
    return table


def _tables(tables: Mapping[str, Any], name: str) -> list[Any]:
    return check_list(tables.get(name, []), f"[[{name}]]")


def _dict(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise GridError(f"{what} must be a table, not {value!r}.")
    return value


def _integer(table: Mapping[str, Any], key: str) -> int:
    value = table.get(key)
    if type(value) is not int:
        raise GridError(f"[part] needs {key}, an integer, or numbers = [...].")
    return value


def _flag(table: Mapping[str, Any]) -> bool:
    value = table.get("in_name", False)
    if type(value) is not bool:
        raise GridError(f"in_name must be true or false, not {value!r}.")
    return value
