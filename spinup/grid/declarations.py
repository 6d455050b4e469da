"""The statements of the grid language: each changes the grid, and is checked at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from spinup.errors import GridError, GridKeyError
from spinup.grid.axes import Axis, make_ablation, make_paired
from spinup.grid.functions import Derived, Filter, check_function
from spinup.grid.parameters import check_fits, check_key, make_parameter
from spinup.grid.space import Sample, Space

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spinup.grid.functions import View
    from spinup.grid.space import Source


class Declarations:
    """What has been said about a grid.

    Args:
        name: Begins the name of every variant.
    """

    def __init__(self, name: str = "") -> None:
        self._space = Space()
        self._fixed: Source | None = None
        self.name(name)

    @property
    def _source(self) -> Source:
        return self._space if self._fixed is None else self._fixed

    @property
    def _name(self) -> str:
        return self._space.name

    def _uses_shorthands(self) -> bool:
        """Whether names have the first letters of the keys, where no shorthand is given."""
        return True

    def name(self, _name: str) -> None:
        """Set the grid's name, with which the names of its variants begin.

        Raises:
            GridKeyError: It is no string.
        """
        if not isinstance(_name, str):
            raise GridKeyError(f"The name of a grid must be a string, not {_name!r}.")
        self._change(name=_name)

    def add(
        self,
        key: str,
        vals: Any,
        shorthand: str | None = None,
        in_name: bool = False,  # noqa: FBT001, FBT002 - the specification's signature
        *,
        when: Callable[[View], Any] | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """Add a parameter with its possible values.

        Example::

            eg.add("lr", [1e-4, 1e-3])
            eg.add("ac_kwargs:hidden_sizes", [(32,), (64, 64)], "hid")
            eg.add("algo", [ppo, vpg])
            eg.add("clip_ratio", [0.1, 0.2], when=lambda v: v["algo"] is ppo)
            eg.add("reward_fn", {"dense": lambda s: -s, "sparse": lambda s: s > 0})
            eg.add("vf_lr", LogUniform(1e-5, 1e-2))  # needs eg.sample(n)

        Args:
            key: Name of the thunk's argument. Colons make nested dicts: ``'ac_kwargs:hidden_sizes'``.
            vals: A value, or a list of values (a range or a one-dimensional array counts as one). A
                tuple is one value, and so is a dict, unless it has two functions or classes or more, and
                nothing else: then its keys are their labels. Or a distribution.
            shorthand: Stands for the key in names. By default it is made from the first three letters
                of each colon-separated term, unless ``DEFAULT_SHORTHAND`` is off.
            in_name: Put the parameter in names even if it has one value.
            when: The parameter exists only in variants for which this is true. It sees the parameters
                that were added before, and derived values.
            labels: What stands for each value in names.

        Raises:
            GridKeyError: ``key``, ``shorthand`` or a label is no string.
            GridError: The key is there already, reserved, or at odds with another; or no value is given, or
                they come from a generator; or the labels do not fit the values.
        """
        if isinstance(vals, Iterator):
            raise GridError(
                f"The values of {key!r} are a {type(vals).__name__}, which can be read only once. "
                "Give them as a list: list(...)."
            )
        if when is not None:
            check_function(when, "when")
        parameter = make_parameter(
            key,
            vals,
            shorthand,
            in_name,
            labels=labels,
            with_default_shorthand=self._uses_shorthands(),
        )
        self._add_axis(Axis((parameter,), when))

    def add_paired(
        self,
        keys: Sequence[str],
        rows: Sequence[Sequence[Any]],
        shorthand: Sequence[str | None] | None = None,
        *,
        in_name: bool = False,
        when: Callable[[View], Any] | None = None,
    ) -> None:
        """Add parameters whose values belong together, row by row.

        A name tells as many of them, from the first one on, as it takes to tell the rows apart.

        Example::

            eg.add_paired(["env_name", "epochs"], [("CartPole-v1", 20), ("Acrobot-v1", 50)])

        Args:
            keys: Names of the thunk's arguments, as in `add`.
            rows: One value for each key, as often as wanted.
            shorthand: Stand for the keys in names.
            in_name: Put all of them in names.
            when: As in `add`, for all of them.

        Raises:
            GridKeyError: A key or a shorthand is no string.
            GridError: A row does not fit the keys, or a key cannot be added.
        """
        if when is not None:
            check_function(when, "when")
        self._add_axis(
            make_paired(keys, rows, shorthand, in_name, when, with_defaults=self._uses_shorthands())
        )

    def derive(
        self,
        key: str,
        function: Callable[[View], Any],
        shorthand: str | None = None,
        *,
        in_name: bool = False,
        when: Callable[[View], Any] | None = None,
    ) -> None:
        """Add a parameter whose value is computed from the others in each variant.

        It may use other derived values, added before or after. It is not in names unless asked for.

        Example::

            eg.derive("batch_size", lambda v: v["steps_per_epoch"] // 4)

        Args:
            key: Name of the thunk's argument, as in `add`.
            function: From a read-only view of the variant to the value; ``v['ac_kwargs:hidden_sizes']``.
            shorthand: Stands for the key in names.
            in_name: Put the value in names.
            when: As in `add`; may ask about any parameter.

        Raises:
            GridKeyError: ``key`` or ``shorthand`` is no string.
            GridError: The key cannot be added. When the grid is read: ``function`` raised, or derived
                values depend on each other in a circle.
        """
        shorthand = check_key(key, shorthand, with_default_shorthand=self._uses_shorthands())
        check_function(function, "The function of derive")
        if when is not None:
            check_function(when, "when")
        check_fits(key, self._space.columns)
        derived = Derived(key, function, shorthand, bool(in_name), when)
        self._change(derived=(*self._space.derived, derived))

    def exclude(self, predicate: Callable[[View], Any]) -> None:
        """Leave out the variants for which ``predicate`` is true.

        Example::

            eg.exclude(lambda v: v["lr"] > 1e-3 and v["batch_size"] < 64)

        Args:
            predicate: From a read-only view of the variant, derived values included, to true or false.

        Raises:
            GridError: It is no function. When the grid is read: it raised, or nothing is left.
        """
        self._add_filter(Filter(predicate, keeps=False))

    def only(self, predicate: Callable[[View], Any]) -> None:
        """Leave out the variants for which ``predicate`` is not true; all else is as in `exclude`.

        Example::

            eg.only(lambda v: v["env_name"] != "Acrobot-v1" or v["use_gae"])
        """
        self._add_filter(Filter(predicate, keeps=True))

    def ablate(
        self,
        baseline: Mapping[str, Any],
        drop: Mapping[str, Any],
        order: int = 1,
        shorthand: Mapping[str, str] | None = None,
    ) -> None:
        """Add a baseline and what is left of it when one thing at a time is changed.

        Other parameters, such as environments and seeds, are combined with all of these. Each run's
        config.json says under ``_ablation`` whether it is of the baseline, and else what was changed.

        Example::

            eg.ablate(
                baseline={"use_gae": True, "norm_obs": True, "lr": 1e-3},
                drop={"use_gae": False, "norm_obs": False, "lr": [1e-4, 1e-2]},
            )  # ..._baseline, ..._use_gae-off, ..._norm_obs-off, ..._lr0-0001, ..._lr0-01

        Args:
            baseline: Values by key; what is in ``drop`` alone is left to the thunk's default.
            drop: What each key is changed to: a value, or a list of them.
            order: Up to how many keys are changed at a time; 2 adds all pairs.
            shorthand: Stand for keys in names.

        Raises:
            GridKeyError: A key or a shorthand is no string.
            GridError: A change changes nothing, a key cannot be added, or the grid has an ablation.
        """
        if any(axis.ablation is not None for axis in self._space.axes):
            raise GridError(
                "The grid has an ablation already. Two of them are two grids, which `a | b` runs as one."
            )
        self._add_axis(make_ablation(baseline, drop, order, shorthand))

    def sample(self, n: int, seed: int = 0) -> None:
        """Take ``n`` of the variants at random, each with all seeds of the grid, and none of them twice.

        The same ``n`` and ``seed`` give the same variants on every machine, and a larger ``n`` gives these
        and more. Values of distributions are drawn anew for each variant.

        Example::

            eg.add("pi_lr", LogUniform(1e-5, 1e-2))
            eg.add("hid", [32, 64, 128])
            eg.seeds(5)
            eg.sample(20)  # 20 variants, 100 runs

        Args:
            n: How many variants, not counting seeds.
            seed: Another number gives other variants.

        Raises:
            GridError: ``n`` or ``seed`` cannot be used, or this was said before. When the grid is read:
                there are not so many different variants.
        """
        if type(n) is not int or n < 1 or type(seed) is not int:
            raise GridError(
                f"sample needs a number of variants and a seed, both integers: not {n!r}, {seed!r}."
            )
        if self._space.sample is not None:
            raise GridError(f"The grid is a sample of {self._space.sample.n} variants already.")
        self._change(sample=Sample(n, seed))

    def seeds(self, n: int, first: int = 0) -> None:
        """Add the parameter ``seed`` with the values ``first``, ``first + 1``, ... ``first + n - 1``.

        Small numbers, since directories have them in their names. A thunk that needs several independent
        streams of random numbers spawns them from its seed, and so does not share one with its neighbour,
        as ``seed + 1`` would: ``train, evaluation = spawn_seeds(seed, 2)`` of `spinup.utils.seeds`.

        Example::

            eg.seeds(3)            # 0, 1, 2
            eg.seeds(5, first=100) # others than those that hyperparameters were chosen by

        Args:
            n: How many.
            first: The least of them.

        Raises:
            GridError: ``n`` or ``first`` cannot be used, or the grid has seeds.
        """
        if type(n) is not int or n < 1 or type(first) is not int or first < 0:
            raise GridError(
                f"seeds needs how many there are, and the first one, from 0: not {n!r}, {first!r}."
            )
        self.add("seed", range(first, first + n))

    # -- All of these end here

    def _fix(self, source: Source) -> None:
        """Make this a grid of ``source``, which cannot be changed any more."""
        self._fixed = source

    def _add_axis(self, axis: Axis) -> None:
        known = list(self._space.columns)
        for key in axis.keys:
            check_fits(key, known)
            known.append(key)
        self._change(axes=(*self._space.axes, axis))

    def _add_filter(self, a_filter: Filter) -> None:
        check_function(a_filter.predicate, f"What {a_filter.verb} is given")
        self._change(filters=(*self._space.filters, a_filter))

    def _change(self, **changes: Any) -> None:
        if self._fixed is not None:
            raise GridError(
                "This grid is made of others, by `a | b` or `eg[...]`, and cannot be changed. "
                "Change those, and make it again."
            )
        # Never in place: what was made of the grid before stays as it is.
        self._space = Space(**{**vars_of(self._space), **changes})


def vars_of(space: Space) -> dict[str, Any]:
    """The fields of ``space``, without what was computed from them."""
    return {name: getattr(space, name) for name in ("name", "axes", "derived", "filters", "sample")}
