from __future__ import annotations

import sys

import pytest

import spinup
from spinup.errors import MissingExtra

pytest.importorskip("tensorboard")

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.summary.writer.event_file_writer import EventFileWriter

CLEANRL = "CartPole-v1__ppo__7__1700000000"


def write_events(directory, *events: Event) -> None:
    writer = EventFileWriter(str(directory))
    for event in events:
        writer.add_event(event)
    writer.close()


def scalar(tag: str, value: float, step: int, wall_s: float = 0.0) -> Event:
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
    return Event(wall_time=1e9 + wall_s, step=step, summary=summary)


def tensor(tag: str, value: float, step: int) -> Event:
    """As TensorFlow 2 writes a scalar."""
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"))
    proto = TensorProto(dtype=1, float_val=[value])
    return Event(
        step=step, summary=Summary(value=[Summary.Value(tag=tag, tensor=proto, metadata=metadata)])
    )


def settings(text: str) -> Event:
    proto = TensorProto(dtype=7, string_val=[text.encode()])
    value = Summary.Value(tag="hyperparameters/text_summary", tensor=proto)
    return Event(wall_time=1e9, summary=Summary(value=[value]))


def test_a_cleanrl_run_is_named_by_its_directory_and_knows_its_settings(tmp_path):
    logged = {"exp_name": "ppo", "learning_rate": 0.00025, "seed": 7, "anneal_lr": True, "target_kl": None}
    table = "|param|value|\n|-|-|\n" + "\n".join(f"|{key}|{value}|" for key, value in logged.items())
    write_events(
        tmp_path / CLEANRL,
        settings(table),
        scalar("charts/episodic_return", 20.0, 100, 1.0),
        scalar("losses/value_loss", 0.5, 128, 2.0),
        scalar("charts/episodic_return", 30.0, 200, 4.0),
    )
    runs = spinup.load(tmp_path)
    (run,) = runs
    assert (run.exp_name, run.seed) == ("CartPole-v1__ppo", 7)
    assert run.hyperparameters == {
        "env_id": "CartPole-v1",
        "learning_rate": 0.00025,
        "anneal_lr": True,
        "target_kl": None,
    }
    assert runs.curves.select("steps", "return", "losses/value_loss").rows() == [
        (100.0, 20.0, None),
        (128.0, None, 0.5),
        (200.0, 30.0, None),
    ]
    row = runs.where(learning_rate=2.5e-4).table.row(0, named=True)
    assert (row["last"], row["best"], row["steps"], row["num_rows"]) == (25.0, 30.0, 200.0, 3)
    assert row["started_at"].timestamp() == pytest.approx(1e9, abs=1e10)


def test_the_same_tag_twice_at_one_step_is_two_rows(tmp_path):
    write_events(tmp_path / "a", *(scalar("charts/episodic_return", value, 5) for value in (1.0, 2.0)))
    assert spinup.load(tmp_path).curves.select("steps", "return").rows() == [(5.0, 1.0), (5.0, 2.0)]


def test_scalars_of_tensorflow_2_are_read_and_texts_are_not(tmp_path):
    write_events(tmp_path / "a", tensor("loss", 0.5, 1), settings("no table"))
    assert spinup.load(tmp_path).curves.select("steps", "loss").rows() == [(1.0, 0.5)]


def test_a_torn_record_is_left_out_with_a_note(tmp_path):
    write_events(tmp_path / "a", scalar("x", 1.0, 1), scalar("x", 2.0, 2))
    (file,) = (tmp_path / "a").iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    runs = spinup.load(tmp_path)
    assert runs.curves["x"].to_list() == [1.0]
    assert "the last record is not whole" in runs.notes[0]


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 40, b"\0" * 64])
def test_a_file_of_anything_else_has_no_row(tmp_path, content):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "events.out.tfevents.1").write_bytes(content)
    runs = spinup.load(tmp_path)
    assert runs.curves.height == 0
    assert runs.notes[-1].endswith("the event files hold no scalars")


def test_two_columns_alone_are_read(tmp_path):
    write_events(tmp_path / "a", scalar("x", 1.0, 1), scalar("y", 2.0, 1))
    assert spinup.load(tmp_path).read(["y", "steps"]).columns == [
        "exp_name",
        "seed",
        "directory",
        "y",
        "steps",
    ]


def test_without_tensorboard_the_error_says_what_to_install(tmp_path, monkeypatch):
    write_events(tmp_path / CLEANRL, scalar("x", 1.0, 1))
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto.event_pb2", None)
    runs = spinup.load(tmp_path)
    assert runs.hyperparameters == {}
    with pytest.raises(MissingExtra, match=r"spinup\[tb\]"):
        _ = runs.curves
