import importlib
import inspect
import pkgutil

import pytest

import spinup
from spinup import errors


def test_the_public_names_are_these():
    assert spinup.__all__ == sorted(spinup.__all__)
    assert set(spinup.__all__) == {
        "Choice",
        "EpochLogger",
        "ExperimentFailed",
        "ExperimentGrid",
        "GridFailed",
        "IntUniform",
        "LogUniform",
        "Logger",
        "RunRecord",
        "RunSet",
        "SpinupError",
        "Uniform",
        "call_experiment",
        "load",
        "make_report",
        "setup_logger_kwargs",
        "spawn_seeds",
    }


@pytest.mark.parametrize("name", spinup.__all__)
def test_each_public_name_is_there_and_documented(name):
    assert inspect.getdoc(getattr(spinup, name))
    assert name in dir(spinup)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = spinup.nope


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("spinup.utils.run_utils", ["ExperimentGrid", "call_experiment", "setup_logger_kwargs"]),
        ("spinup.utils.logx", ["Logger", "EpochLogger", "colorize", "convert_json"]),
        ("spinup.utils.serialization_utils", ["convert_json"]),
        (
            "spinup.user_config",
            ["DEFAULT_DATA_DIR", "FORCE_DATESTAMP", "DEFAULT_SHORTHAND", "WAIT_BEFORE_LAUNCH"],
        ),
    ],
)
def test_spinning_ups_import_paths_work(path, names):
    module = importlib.import_module(path)
    assert all(hasattr(module, name) for name in names)


@pytest.mark.parametrize(
    ("function", "signature"),
    [
        (
            spinup.call_experiment,
            "(exp_name, thunk, seed=0, num_cpu=1, data_dir=None, datestamp=False, **kwargs)",
        ),
        (spinup.setup_logger_kwargs, "(exp_name, seed=None, data_dir=None, datestamp=False)"),
        (spinup.ExperimentGrid, "(name='')"),
        (
            spinup.ExperimentGrid.add,
            "(self, key, vals, shorthand=None, in_name=False, *, when=None, labels=None)",
        ),
        (
            spinup.ExperimentGrid.run,
            (
                "(self, thunk, num_cpu=1, data_dir=None, datestamp=False, *, parallel='auto', gpus='auto', "
                "gpus_per_run=None, memory_per_run=None, isolation='auto', retries=0, timeout=None, "
                "on_failure='continue', rerun='failed', launcher='local', dry_run=False, "
                "only=None, shard=None)"
            ),
        ),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_signatures_are_spinning_ups(function, signature):
    parameters = inspect.signature(function).parameters.values()
    bare = [p.replace(annotation=p.empty) for p in parameters]
    assert str(inspect.Signature(bare)) == signature


def test_every_error_is_ours_and_a_builtin_and_drawn_in_the_tree():
    classes = [
        cls for _, cls in inspect.getmembers(errors, inspect.isclass) if cls.__module__ == errors.__name__
    ]
    assert len(classes) > 10
    for cls in classes:
        assert issubclass(cls, errors.SpinupError)
        assert cls.__name__ in errors.__doc__
        if cls is not errors.SpinupError:
            assert any(
                base.__module__ == "builtins" and base is not Exception for base in cls.__mro__[1:-3]
            )


def all_modules():
    return [module.name for module in pkgutil.walk_packages(spinup.__path__, "spinup.")]


@pytest.mark.parametrize("name", [name for name in all_modules() if not name.endswith("__main__")])
def test_everything_public_has_a_docstring(name):
    module = importlib.import_module(name)
    assert module.__doc__
    for attribute, value in vars(module).items():
        own = getattr(value, "__module__", None) == name
        if own and not attribute.startswith("_") and (inspect.isclass(value) or inspect.isfunction(value)):
            assert inspect.getdoc(value), f"{name}.{attribute}"
