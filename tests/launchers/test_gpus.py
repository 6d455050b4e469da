import pytest

from spinup.errors import SettingError
from spinup.launchers.gpus import PARTS, Gpu, discover_nvidia, parts_of, take, visible

GPUS = [Gpu(0, "GPU-aaa1"), Gpu(1, "GPU-aaa2"), Gpu(2, "GPU-bbb")]


def indices(lease):
    return None if lease is None else [gpu.index for gpu in lease.gpus]


@pytest.mark.parametrize(
    ("variable", "left"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("1", [1]),
        ("2,0", [2, 0]),
        ("0,-1,2", [0]),
        ("GPU-b", [2]),
        ("GPU-a", []),
        ("0,0", [0]),
        ("0, 1", [0, 1]),
        ("7", []),
    ],
)
def test_the_variable_is_read_as_cuda_reads_it(variable, left):
    assert [gpu.index for gpu in visible(GPUS, variable)] == left


@pytest.mark.parametrize(
    ("share", "parts"), [(1, PARTS), (0.5, 6), (1 / 3, 4), (0.25, 3), (2, 2 * PARTS), (0.3, 4)]
)
def test_a_share_is_a_number_of_parts(share, parts):
    assert parts_of(share) == parts


@pytest.mark.parametrize("share", [0, -1, 1.5, float("nan"), float("inf"), "1", True, None])
def test_a_share_that_cannot_be_had_is_an_error(share):
    with pytest.raises(SettingError, match="gpus_per_run"):
        parts_of(share)


def test_whole_gpus_are_given_to_one_run_each(tmp_path):
    leases = [take(GPUS, PARTS, tmp_path) for _ in range(4)]
    assert sorted(map(str, map(indices, leases[:3]))) == ["[0]", "[1]", "[2]"]
    assert leases[3] is None
    leases[1].close()
    again = take(GPUS, PARTS, tmp_path)
    assert indices(again) == indices(leases[1])
    for lease in (leases[0], leases[2], again):
        lease.close()


def test_parts_of_a_gpu_go_to_the_emptiest_one(tmp_path):
    leases = [take(GPUS[:2], 6, tmp_path) for _ in range(5)]
    assert [indices(lease) for lease in leases[:4]] == [[0], [1], [0], [1]]
    assert leases[4] is None
    for lease in leases[:4]:
        lease.close()


def test_a_run_can_have_several_gpus(tmp_path):
    lease = take(GPUS, 2 * PARTS, tmp_path)
    assert lease.environment() == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "0,1"}
    assert take(GPUS, 2 * PARTS, tmp_path) is None
    lease.close()


def test_what_was_not_needed_is_given_back(tmp_path):
    assert take(GPUS, 4 * PARTS, tmp_path) is None
    lease = take(GPUS, 3 * PARTS, tmp_path)
    assert indices(lease) == [0, 1, 2]
    lease.close()


def test_a_machine_without_a_driver_has_no_gpus():
    assert isinstance(discover_nvidia(), list)
