"""Functions that a grid's file can refer to, and grids of every kind made of them."""

from hypothesis import strategies as st

from spinup.grid import Choice, Grid, IntUniform, LogUniform


def ppo():
    return "ppo"


def vpg():
    return "vpg"


class Rewards:
    @staticmethod
    def dense(state):
        return -state

    @staticmethod
    def sparse(state):
        return float(state > 0)


def has_ppo(v):
    return v["algo"] is ppo


def is_first(v):
    return v["a"] == 1


def double(v):
    return 2 * v["a"]


def quadruple(v):
    return 2 * v["double"]


def has_odd_sum(v):
    return (v["a"] + v.get("c", 0)) % 2 == 1


def is_large(v):
    return v["quadruple"] >= 8


def make(name="", **parameters):
    eg = Grid(name)
    for key, values in parameters.items():
        eg.add(key, values)
    return eg


def config(variant):
    return {key: value for key, value in variant.items() if key != "seed"}


texts = st.text(alphabet="_a1- A=@", max_size=3)
scalars = st.one_of(st.booleans(), st.integers(0, 3), texts, st.sampled_from([0.1, None, (1, 1), [1]]))


@st.composite
def grids(draw, names=("g", "", "_")):
    """A grid of up to some dozen variants, with any of the language's constructs."""
    eg = Grid(draw(st.sampled_from(names)))
    shorthands = st.sampled_from([None, "", "_", "a", "b2"])
    steps = {
        "a": lambda: eg.add(
            "a", draw(st.lists(st.integers(0, 3), min_size=1, max_size=3)), draw(shorthands)
        ),
        "x": lambda: eg.add("opt:x", draw(st.lists(scalars, min_size=1, max_size=3)), draw(shorthands)),
        "c": lambda: eg.add("c", draw(st.sampled_from([[0, 1], [True, False], 5])), "b2", when=is_first),
        "pair": lambda: eg.add_paired(
            ["p", "q"],
            draw(st.lists(st.tuples(scalars, scalars), min_size=1, max_size=3)),
            in_name=draw(st.booleans()),
        ),
        "ablation": lambda: eg.ablate({"u": True}, {"u": False, "w": [0, None]}, draw(st.integers(1, 2))),
        "seed": lambda: eg.seeds(draw(st.integers(1, 2))),
    }
    chosen = draw(st.permutations([step for step in steps if step not in {"a", "c"}]))
    for step in ["a", *chosen[: draw(st.integers(0, 3))], *(["c"] if draw(st.booleans()) else [])]:
        steps[step]()
    in_name = draw(st.booleans())
    if draw(st.booleans()):
        eg.derive("quadruple", quadruple, draw(shorthands), in_name=in_name)
        eg.derive("double", double, draw(shorthands), in_name=draw(st.booleans()))
    return eg


@st.composite
def sampled_grids(draw):
    """A grid with distributions, of which nothing is drawn yet."""
    eg = draw(grids())
    eg.add(
        "lr", LogUniform(1e-5, 1e25, digits=draw(st.integers(1, 3))), draw(st.sampled_from(["", "a", None]))
    )
    eg.add("n", IntUniform(-2, 2), draw(st.sampled_from(["", "a", None])))
    eg.add("choice", Choice(["a", "a1"]))
    return eg
