import os

import pytest

from spinup.jobs.make import Place, make_job
from spinup.launchers import gpus
from spinup.launchers.cores import thread_caps, usable_cores
from spinup.launchers.gpus import Gpu
from spinup.scheduler.run import Options, Room, find_room, run_jobs

TWO = [Gpu(0, "GPU-a"), Gpu(1, "GPU-b")]


class SilentView:
    def started(self, active): ...

    def ended(self, active, record, outcome): ...

    def note(self, text): ...

    def refresh(self, schedule, active): ...


@pytest.mark.parametrize(
    ("options", "cores", "found", "width", "threads"),
    [
        (Options(), 8, [], 8, 1),
        (Options(parallel=3), 8, [], 3, 2),
        (Options(parallel=20), 8, [], 20, 1),
        (Options(num_cpu=4), 8, [], 2, 1),
        (Options(num_cpu=16), 8, [], 1, 1),
        (Options(), 8, TWO, 2, 4),
        (Options(gpus_per_run=0.5), 8, TWO, 4, 2),
        (Options(gpus_per_run=1 / 3), 8, TWO, 6, 1),
        (Options(gpus_per_run=2), 8, TWO, 1, 8),
        (Options(gpus_per_run=0.25), 2, TWO, 2, 1),
        (Options(gpus=()), 8, TWO, 8, 1),
        (Options(gpus=TWO[:1]), 8, [], 1, 8),
    ],
    ids=str,
)
def test_as_many_runs_as_fit_on_cores_and_gpus(monkeypatch, options, cores, found, width, threads):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    room = find_room(options, cores=lambda: cores, discover=lambda: found)
    assert (room.width, room.threads) == (width, threads)


def test_gpus_that_are_hidden_from_this_process_are_not_used(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert find_room(Options(), cores=lambda: 8, discover=lambda: TWO).gpus == (TWO[1],)


def gpu_of(number, logger_kwargs=None):
    return (
        os.environ["CUDA_VISIBLE_DEVICES"],
        os.environ["CUDA_DEVICE_ORDER"],
        os.environ["OMP_NUM_THREADS"],
    )


def test_each_run_sees_its_own_gpu_and_its_share_of_threads(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    (tmp_path / "leases").mkdir()
    monkeypatch.setattr(gpus, "_default_directory", lambda: tmp_path / "leases")
    place = Place(str(tmp_path / "data"))
    jobs = [make_job(f"g{i}", gpu_of, {"number": i}, place=place) for i in range(4)]
    room = Room(width=2, threads=3, gpus=tuple(TWO))
    records = run_jobs(jobs, Options(gpus=TWO), room, SilentView())
    assert {record.state for record in records} == {"done"}
    assert {tuple(record.result) for record in records} <= {
        ("0", "PCI_BUS_ID", "3"),
        ("1", "PCI_BUS_ID", "3"),
    }
    assert gpus.take(TWO, 2 * gpus.PARTS, tmp_path / "leases") is not None


def test_a_run_waits_for_a_gpu_that_another_launcher_has(tmp_path, monkeypatch):
    monkeypatch.setattr(gpus, "_default_directory", lambda: tmp_path)
    held = gpus.take(TWO[:1], gpus.PARTS, tmp_path)

    class FreeingView(SilentView):
        def refresh(self, schedule, active):
            if schedule.paused_until_s > 0 and not self.is_free:
                self.is_free = True
                held.close()

        is_free = False

    jobs = [make_job("g", gpu_of, {"number": 0}, place=Place(str(tmp_path / "data")))]
    (record,) = run_jobs(jobs, Options(gpus=TWO[:1]), Room(1, 1, tuple(TWO[:1])), FreeingView())
    assert record.result[0] == "0"


def test_usable_cores_are_those_of_the_affinity_and_the_quota(tmp_path):
    assert 1 <= usable_cores() <= os.cpu_count()
    assert usable_cores(tmp_path) == len(os.sched_getaffinity(0))
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert usable_cores(tmp_path) == 1


def test_what_the_user_has_set_is_not_capped(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    caps = thread_caps(2)
    assert "OMP_NUM_THREADS" not in caps
    assert caps["MKL_NUM_THREADS"] == "2"
