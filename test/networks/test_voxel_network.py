"""What makes the voxel network spatial: it answers a shifted scene with shifted answers."""

import pytest
import torch

from spatial_perception.networks.voxel_network import VoxelNetwork

STRIDE = 4


def small_network(**changes: object) -> VoxelNetwork:
    torch.manual_seed(0)
    arguments = {**VoxelNetwork.example_arguments(), "occupancy_window": None, **changes}
    return VoxelNetwork(**arguments).eval()


def test_a_scene_shifted_by_the_largest_stride_gives_shifted_outputs() -> None:
    network = small_network()
    scene = torch.zeros(1, 2, 4, 96, 96)
    scene[..., 44:52, 44:52] = torch.rand(1, 2, 4, 8, 8)
    shifted = torch.roll(scene, (STRIDE, -2 * STRIDE), dims=(3, 4))
    for name, here in network.outputs({"voxels": scene}).items():
        there = network.outputs({"voxels": shifted})[name]
        moved = torch.roll(here, (STRIDE, -2 * STRIDE), dims=(-2, -1))
        inner = (..., slice(24, 72), slice(24, 72))
        torch.testing.assert_close(there[inner], moved[inner], rtol=1e-4, atol=1e-5, msg=name)
        assert here[inner].std() > 0


def test_heads_have_the_shapes_of_their_grids() -> None:
    outputs = small_network().outputs({"voxels": torch.zeros(2, 2, 4, 16, 24)})
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {
        "heatmap": (2, 4, 16, 24),
        "regression": (2, 8, 16, 24),
        "heading": (2, 2, 16, 24),
        "quality": (2, 1, 16, 24),
        "occupancy": (2, 10, 3, 16, 24),
    }


def test_the_window_cuts_the_occupancy_alone() -> None:
    voxels = VoxelNetwork.example_inputs(torch.Generator().manual_seed(0))
    whole = small_network().outputs(voxels)
    cut = small_network(occupancy_window=(4, 12, 2, 22)).outputs(voxels)
    torch.testing.assert_close(cut["occupancy"], whole["occupancy"][..., 4:12, 2:22])
    torch.testing.assert_close(cut["heatmap"], whole["heatmap"])


@pytest.mark.parametrize("layer", [0, 1])
def test_three_dimensional_stages_mix_along_z(layer: int) -> None:
    network = small_network(stages=((8, 1), (8, 1)))
    voxels = torch.zeros(1, 2, 4, 16, 16)
    voxels[0, 0, 2, 8, 8] = 1.0
    x = network.volume[: layer + 1](voxels) - network.volume[: layer + 1](torch.zeros_like(voxels))
    reached = x.abs().sum(dim=(1, 3, 4))[0] > 0
    assert reached.tolist() == [layer == 1, True, True, True]


def test_a_new_network_sees_centres_almost_nowhere() -> None:
    heatmap, *_ = small_network()(torch.zeros(1, 2, 4, 16, 16))
    assert heatmap.mean().item() == pytest.approx(0.01, abs=0.005)
