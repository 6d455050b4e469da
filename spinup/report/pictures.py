"""Which pictures say something about these runs, and drawing them; one that fails costs itself alone."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from spinup.errors import SpinupError
from spinup.plots.ablation import plot_ablation
from spinup.plots.final_performance import plot_final_performance
from spinup.plots.heat_map import plot_heat_map
from spinup.plots.learning_curve import plot_learning_curve, plot_learning_curves
from spinup.plots.parallel_coordinates import plot_parallel_coordinates
from spinup.plots.performance_profile import plot_performance_profile
from spinup.plots.sensitivity import plot_sensitivity
from spinup.plots.variants import are_numbers, members_of, names_beside, varying
from spinup.report.document import Picture
from spinup.report.svg import svg_of
from spinup.report.words import many, quoted
from spinup.results.groups import task_column, variants_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from matplotlib.axes import Axes

    from spinup.report.verdicts import Answer
    from spinup.results.groups import Variant

_MOST_CURVES = 10  # that can be told apart in one picture
_MOST_BARS = 40
_MOST_TASKS = 6  # with pictures of their own
_MOST_COORDINATES = 12
_FEWEST_LINES = 6  # variants, below which parallel coordinates say less than bars


@dataclass(frozen=True)
class Plan:
    """A picture to be drawn.

    Attributes:
        name: Of its file.
        title: Above it.
        draw: Draws it in a figure of its own.
        caption: Below it.
    """

    name: str
    title: str
    draw: Callable[[], Axes]
    caption: str = ""


def draw(plans: Iterable[Plan]) -> tuple[list[Picture], list[str]]:
    """The pictures that could be drawn, and a sentence for each that could not or looks odd."""
    pictures, findings = [], []
    for plan in plans:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            try:
                figure = plan.draw().figure.figure
                pictures.append(
                    Picture(plan.name, plan.title, plan.caption, svg_of(figure, plan.name), figure)
                )
            except SpinupError as error:
                findings.append(f"The picture {quoted(plan.title)} was left out: {error}")
            except Exception as error:  # noqa: BLE001 - whatever a picture breaks on, the rest of the report stands
                what = f"{type(error).__name__}: {error}"
                findings.append(f"The picture {quoted(plan.title)} could not be drawn. {what}")
        findings += dict.fromkeys(
            f"In the picture {quoted(plan.title)}: {each.message}" for each in seen[:1]
        )
    return pictures, findings


def plans_of(
    table: pl.DataFrame,
    curves: pl.DataFrame,
    answer: Answer,
    *,
    x: str = "steps",
    column: str = "last",
    score: str | None = None,
) -> list[Plan]:
    """The pictures that make sense for these runs, learning curves first.

    Args:
        table: One row per run.
        curves: The rows of their logs: ``seed``, ``directory``, ``steps``, ``return``.
        answer: What they came to.
        x: Column of ``curves`` that says how far a run was.
        column: Score of a run.
        score: Name of the logged column that counts, for the axes; the usual return by default.
    """
    task = task_column(table)
    table = _marked(table, answer)
    plans = _curves(table, curves, answer, task, x, score)
    if score is not None and (label := _label(column, score)) not in table.columns:
        table, column = table.rename({column: label}), label
    if task is None:
        return plans + _of_one_task(table, column, "", "")
    tasks = [one for one in table[task].unique(maintain_order=True).to_list() if one is not None]
    for number, one in enumerate(tasks[:_MOST_TASKS], start=1):
        part = table.filter(pl.col(task) == one)
        plans += _of_one_task(part, column, f"_task_{number}", f" on {one}")
    labels = answer.results["variant"].n_unique()
    if 1 < labels <= _MOST_CURVES:
        plans.append(
            Plan(
                "profile",
                "Performance profile over all tasks",
                lambda: plot_performance_profile(table, value=column),
                "The higher the better: which share of the runs comes to at least so much.",
            )
        )
    return plans


def _label(column: str, score: str) -> str:
    """What the axis of ``column`` is called, where ``score`` counts as the return."""
    return {"last": f"{score} at the end of training", "best": f"highest {score}"}.get(column, column)


def _curves(
    table: pl.DataFrame, curves: pl.DataFrame, answer: Answer, task: str | None, x: str, score: str | None
) -> list[Plan]:
    if curves["return"].is_null().all():
        return []
    shown, caption = _worth_showing(answer)
    named = _named(table, curves).filter(pl.col("variant").is_in(shown))
    y = "return"
    if score is not None:
        # It may be what counts the rows, too.
        named = named if score in named.columns else named.rename({"return": score})
        y = score
    title = f"{'Mean return' if score is None else score} during training"
    if task is None:
        return [
            Plan(
                "curves",
                title,
                lambda: plot_learning_curve(named, x=x, y=y, name="variant"),
                caption,
            )
        ]
    return [
        Plan(
            "curves",
            f"{title}, by task",
            lambda: plot_learning_curves(named, task="task", x=x, y=y, name="variant")[0],
            caption,
        )
    ]


def _worth_showing(answer: Answer) -> tuple[list[str], str]:
    """The variants whose curves fit into one picture: the reference, then the best."""
    rows = answer.results.sort(
        pl.col("mean").is_null(),
        pl.col("num_used") < 2,
        pl.col("num_used") < pl.col("num_runs"),
        -pl.col("mean"),
    )
    labels = rows["variant"].unique(maintain_order=True).to_list()
    if len(labels) <= _MOST_CURVES:
        return labels, ""
    first = rows.filter(pl.col("is_baseline"))["variant"].unique(maintain_order=True).to_list()
    shown = list(dict.fromkeys([*first, *labels]))[:_MOST_CURVES]
    return shown, f"The best {len(shown)} of {many(len(labels), 'variant')}" + (
        ", the baseline among them." if first else "."
    )


def _named(table: pl.DataFrame, curves: pl.DataFrame) -> pl.DataFrame:
    """``curves``, with the variant and the task of each row."""
    own = curves.drop("task", "variant", strict=False)
    return own.join(members_of(table), on="directory", how="left", maintain_order="left")


def _marked(table: pl.DataFrame, answer: Answer) -> pl.DataFrame:
    """``table``, in which the baseline is the one that the answer compares with."""
    if answer.reference != "baseline":
        return table.with_columns(is_baseline=pl.lit(value=False))
    chosen = answer.results.filter(pl.col("is_baseline")).select("task", "variant")
    members = members_of(table)
    directories = members.join(chosen, on=["task", "variant"], how="semi", nulls_equal=True)["directory"]
    return table.with_columns(is_baseline=pl.col("directory").is_in(directories.to_list()))


def _of_one_task(part: pl.DataFrame, column: str, suffix: str, where: str) -> list[Plan]:
    variants = variants_of(part, column=column)
    if len(variants) < 2 or not any(one.counts[0] for one in variants):
        return []
    if any(one.is_baseline for one in variants):
        if len(variants) - 1 > _MOST_BARS:
            return []
        caption = "Colours are corrected for the comparisons on this task; the table's verdicts, for all."
        return [
            Plan(
                f"ablation{suffix}",
                f"Ablation{where}",
                lambda: plot_ablation(part, value=column),
                caption if where else "",
            )
        ]
    plans = _by_parameters(part, variants, column, suffix, where)
    if len(variants) <= _MOST_BARS:
        plans.append(
            Plan(
                f"final{suffix}",
                f"Final performance{where}",
                lambda: plot_final_performance(part, value=column),
            )
        )
    return plans


def _by_parameters(
    part: pl.DataFrame, variants: Sequence[Variant], column: str, suffix: str, where: str
) -> list[Plan]:
    """What shows the hyperparameters that vary: one, two, or more of them."""
    keys = varying(variants)
    if len(keys) == 1 and are_numbers(one.parameters[keys[0]] for one in variants):
        title = f"Sensitivity to {keys[0]}{where}"
        return [Plan(f"sensitivity{suffix}", title, lambda: plot_sensitivity(part, keys[0], value=column))]
    if len(keys) == 2 and _fills_a_plane(variants, *keys):
        title = f"{keys[0]} and {keys[1]}{where}"
        return [
            Plan(f"heat_map{suffix}", title, lambda: plot_heat_map(part, keys[0], keys[1], value=column))
        ]
    if 1 < len(keys) <= _MOST_COORDINATES and len(variants) >= _FEWEST_LINES:
        title = f"All hyperparameters{where}"
        return [Plan(f"coordinates{suffix}", title, lambda: plot_parallel_coordinates(part, value=column))]
    return []


def _fills_a_plane(variants: Sequence[Variant], x: str, y: str) -> bool:
    """Whether at least half of the pairs of values have a variant: a heat map of others is mostly empty."""
    columns, rows = ({one.parameters[key] for one in variants} for key in (x, y))
    if any(names_beside(variants, [x, y])):
        return False  # a cell would have several experiments in it
    return min(len(columns), len(rows)) > 1 and 2 * len(variants) >= len(columns) * len(rows)
