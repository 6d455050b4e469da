import ast
import textwrap
import types

import pytest

from spinup.jobs.script import find_class, find_function, reachable


def codes_of(source):
    """All code objects of functions in ``source``, in order."""
    left, found = [compile(source, "script.py", "exec")], []
    while left:
        code = left.pop(0)
        inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
        found += [code for code in inner if not code.co_name.startswith("<") or code.co_name == "<lambda>"]
        left += inner
    return found


def part_for(source, name="train"):
    """What counts for the first function of this name, as source."""
    source = textwrap.dedent(source)
    code = next(code for code in codes_of(source) if code.co_name == name)
    tree = ast.parse(source)
    return text_of(reachable(tree, find_function(tree, code)))


def text_of(*nodes):
    module = nodes[0] if isinstance(nodes[0], ast.Module) else ast.Module(list(nodes), [])
    return ast.unparse(ast.fix_missing_locations(module)).replace("\n\n", "\n")


def test_the_grid_does_not_count():
    part = part_for("""
        from spinup import ExperimentGrid
        def train(lr, seed): return lr
        eg = ExperimentGrid(name="bench")
        eg.add("seed", [0, 10])
        eg.run(train)
        """)
    assert part == "def train(lr, seed):\n    return lr"


def test_what_is_used_counts_and_what_that_uses():
    part = part_for("""
        import math, json
        import os
        SCALE = 2
        WIDTH = SCALE * 32
        OTHER = 3
        def helper(): return math.sqrt(WIDTH)
        def unused(): return OTHER
        def train(lr): return helper()
        """)
    kept = ["import math, json", "SCALE = 2", "WIDTH = SCALE * 32", "def helper()", "def train(lr)"]
    assert all(line in part for line in kept)
    assert not any(word in part for word in ("os", "OTHER", "unused"))


def test_a_variable_of_the_script_that_a_local_one_hides_does_not_count():
    part = part_for("""
        def train(seed):
            for epoch in range(3): print(epoch, seed)
        for seed in [0, 1, 2]:
            epoch = 4
            train(seed)
        """)
    assert "epoch = 4" not in part
    assert "[0, 1, 2]" not in part


def test_all_statements_that_bind_a_name_count_with_the_lines_around_them():
    part = part_for("""
        if FAST:
            epochs = 1
            unrelated = 2
        else:
            epochs = 10
        try:
            import quick as net
        except ImportError:
            import slow as net
        for k in range(3):
            epochs += k
            print("grid", k)
        with open("x") as file:
            text = file.read()
        def train(): return net, epochs, text
        """)
    for line in (
        "if FAST:\n    epochs = 1\nelse:\n    epochs = 10",
        "try:\n    import quick as net\nexcept ImportError:\n    import slow as net",
        "for k in range(3):\n    epochs += k",
        "with open('x') as file:\n    text = file.read()",
    ):
        assert line in part
    assert "unrelated" not in part
    assert "grid" not in part


def test_a_branch_is_part_of_what_counts():
    source = "if FAST:\n    n = 1\nelse:\n    n = 2\ndef train(): return n"
    assert part_for(source) != part_for(source.replace("if FAST", "if not FAST"))


def test_changes_of_a_value_that_is_used_count():
    part = part_for("""
        CONFIG, LAYERS = {}, []
        CONFIG["lr"] = 1
        CONFIG.update(gamma=2)
        LAYERS.append(64)
        SEEDS = []
        SEEDS.append(3)
        def train(): return CONFIG, LAYERS
        """)
    assert all(line in part for line in ("CONFIG['lr'] = 1", "CONFIG.update(gamma=2)", "LAYERS.append(64)"))
    assert "SEEDS" not in part


def test_calls_on_a_module_or_a_class_do_not_count():
    part = part_for("""
        import spinup
        class Trainer: pass
        def train(): return spinup.EpochLogger, Trainer
        spinup.call_experiment("x", train, seed=3)
        Trainer.launch(seeds=[1, 2])
        """)
    assert "call_experiment" not in part
    assert "launch" not in part


def test_global_variables_that_a_function_sets_count_without_the_rest_of_it():
    part = part_for("""
        DATA = None
        def main():
            global DATA
            source = "a.csv"
            DATA = load(source)
            eg = Grid()
            eg.add("seed", [0, 10])
        def load(source): return source
        def train(): return DATA
        main()
        """)
    assert all(line in part for line in ("DATA = load(source)", "source = 'a.csv'", "def load"))
    assert "seed" not in part


def test_a_local_function_counts_without_the_grid_around_it():
    part = part_for("""
        def main(width):
            depth = 3
            def net(): return depth * width
            def train(): return net()
            eg = Grid()
            eg.add("seed", [0, 10])
            eg.run(train)
        if __name__ == "__main__":
            main(64)
        """)
    assert all(line in part for line in ("def main(width)", "depth = 3", "def net()", "def train()"))
    assert "seed" not in part


def test_a_function_that_is_called_counts_as_a_whole_even_if_it_sets_a_global():
    part = part_for("""
        def setup():
            global X
            X = 1
            check()
        def train():
            setup()
            return X
        """)
    assert "check()" in part


def test_an_argument_of_the_function_around_a_lambda_counts():
    part = part_for("def main(width=64):\n    eg.run(lambda: width)\nmain()", "<lambda>")
    assert part == "lambda: width\n\ndef main(width=64):".replace("\n\n", "\n")


def test_a_method_counts_with_its_class():
    part = part_for("""
        class Trainer:
            gamma = 0.99
            def train(self): return self.helper()
            def helper(self): return self.gamma
        Trainer.extra = 1
        other = 2
        """)
    assert all(line in part for line in ("gamma = 0.99", "def helper", "Trainer.extra = 1"))
    assert "other" not in part


def test_a_star_import_counts_since_it_may_bind_any_name():
    assert part_for("from nets import *\ndef train(): return Net()").startswith("from nets import *")


def test_a_lambda_counts_without_the_statement_around_it():
    part = part_for("eg.run(lambda seed: train(seed), seeds=[0, 10])\ndef train(s): return s", "<lambda>")
    assert part == "lambda seed: train(seed)\ndef train(s):\n    return s"


@pytest.mark.parametrize(
    ("index", "text"),
    [
        (0, "lambda: w"),
        (1, "lambda x: x + 1"),
        (2, "lambda x, y: lambda z: lambda: (x, y, z)"),
        (3, "lambda z: lambda: (x, y, z)"),
        (4, "lambda: (x, y, z)"),
    ],
)
def test_several_lambdas_of_one_line_are_told_apart(index, text):
    source = "eg.add('é', [lambda: w, lambda x: x + 1, lambda x, y: lambda z: lambda: (x,\n y, z)])"
    code = [code for code in codes_of(source) if code.co_name == "<lambda>"][index]
    (found,) = find_function(ast.parse(source), code)
    assert text_of(ast.Expr(found.node)) == text


def test_a_lambda_that_returns_a_constant_is_among_those_found():
    source = "[lambda: 1, lambda: 2]"
    found = find_function(ast.parse(source), codes_of(source)[1])
    assert "lambda: 2" in [text_of(ast.Expr(one.node)) for one in found]


def test_lambdas_of_one_line_all_count_where_code_has_no_positions():
    source = "a, b = lambda: 1, lambda: 2"
    code = codes_of(source)[0].replace(co_linetable=b"")
    assert code.co_firstlineno == 1
    assert len(find_function(ast.parse(source), code)) == 2


def test_a_decorated_function_is_found_by_the_line_of_its_decorator():
    part = part_for("def wrap(f): return f\n@wrap\n@wrap\ndef train(): return 1")
    assert "@wrap" in part
    assert "def wrap" in part


def test_a_function_of_another_place_is_not_found():
    tree = ast.parse("\n\ndef train(): pass")
    assert find_function(tree, codes_of("def train(): pass")[0]) == []
    assert find_function(tree, codes_of("\n\ndef evaluate(): pass")[0]) == []


def test_a_class_is_found_by_its_qualified_name():
    tree = ast.parse("def f():\n  class A:\n    class B: pass\nclass A: x = 1")
    assert [found.node.lineno for found in find_class(tree, "A")] == [4]
    assert [found.node.lineno for found in find_class(tree, "f.<locals>.A.B")] == [3]
    around = reachable(tree, find_class(tree, "f.<locals>.A.B"))
    assert "class B" in text_of(around)


def test_a_thing_made_by_a_call_is_reached_by_its_name():
    tree = ast.parse("Point = namedtuple('Point', 'x y')\nother = 1")
    assert text_of(reachable(tree, [], ["Point"])) == "Point = namedtuple('Point', 'x y')"
