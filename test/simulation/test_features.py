from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from spatial_perception.cli.main import main
from spatial_perception.core.labels import OBJECT_LABELS, POINT_LABELS
from spatial_perception.core.pose import Pose
from spatial_perception.errors import ConfigError
from spatial_perception.simulation.actors import make_actor
from spatial_perception.simulation.features import SceneFeatures
from spatial_perception.simulation.lidar_models import lidar_model
from spatial_perception.simulation.materials import POINT_CLASS, Surface
from spatial_perception.simulation.shards import shard_bytes, simulate_scene
from spatial_perception.simulation.street import Street, build_street, snapshot

from .scenes import plain, surroundings_of

EACH = ("lofted_cars", "glass", "relief", "clutter")


def street_without(*names: str) -> Street:
    return build_street(np.random.default_rng(5), features=SceneFeatures.without(names))


@pytest.fixture(scope="module")
def full() -> Street:
    return street_without()


@pytest.mark.parametrize("name", EACH)
def test_plan_and_traffic_stay_whatever_is_left_out(full: Street, name: str) -> None:
    bare = street_without(name)

    def where(street: Street) -> list[tuple[float, ...]]:
        return [(a.label, a.s_m, a.d_m, a.yaw_rad, *a.size_lwh_m) for a in street.actors]

    assert where(bare) == where(full)
    assert bare.ground.plan.blocks == full.ground.plan.blocks


@pytest.mark.parametrize("lofted", [True, False])
def test_points_of_cars_lie_on_cuboids_only_without_lofted_cars(lofted: bool) -> None:
    features = SceneFeatures(lofted_cars=lofted)
    scene = simulate_scene(3, lidar_model("beam32"), features=features)
    on_face, count = 0, 0
    for k in np.flatnonzero(scene["box_labels"] == OBJECT_LABELS.index("car")):
        box = scene["boxes"][k].astype(float)
        mine = scene["points"][scene["instance"] == k + 1, :3].astype(float)
        inwards = box[3:6] / 2 - np.abs(Pose.from_yaw(box[6], box[:3]).inverse().apply(mine))
        on_face += int((np.abs(inwards).min(1) < 0.12).sum())
        count += len(mine)

    assert count > 100
    assert (on_face > 0.97 * count) == (not lofted)


@pytest.mark.parametrize("glass", [True, False])
def test_seats_are_seen_through_glass_alone(glass: bool) -> None:
    features = SceneFeatures(glass=glass)
    mesh = make_actor("car", 0.0, 0.0, 0.0, 0.0, 8, features).mesh
    yaw, rise = np.meshgrid(np.linspace(-0.3, 0.3, 200) - np.pi / 2, np.linspace(-0.2, 0.05, 60))
    rays = np.stack([np.cos(yaw), np.sin(yaw), rise], -1).reshape(-1, 3).astype(np.float32)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    seen = surroundings_of(plain(), mesh).look(
        np.array([0.0, 6.0, 1.6]), rays, np.random.default_rng(0)
    )

    assert (Surface.INTERIOR in seen.surfaces) == glass
    assert (Surface.CAR_GLASS in seen.surfaces) == glass


def test_without_glass_no_window_is_left_in_the_street() -> None:
    def windows(street: Street) -> int:
        surfaces = snapshot(street, street.actors).mesh.surfaces
        return int(np.isin(surfaces, [Surface.CAR_GLASS, Surface.WINDOW]).sum())

    assert windows(street_without("glass")) == 0
    assert windows(street_without("relief")) > 100


def test_without_relief_ground_lies_at_zero_and_everybody_stands_there(full: Street) -> None:
    flat = street_without("relief")
    boxes = snapshot(flat, flat.actors).boxes

    assert flat.ground.mesh().vertices[:, 2].min() == 0.0
    assert flat.ground.mesh().vertices[:, 2].max() < 0.02  # lane markings
    np.testing.assert_allclose(boxes[:, 2], boxes[:, 5] / 2)
    assert np.ptp(full.ground.mesh().vertices[:, 2]) > 0.5


def test_without_clutter_only_ground_and_buildings_are_left(full: Street) -> None:
    kinds = {"vegetation", "pole", "two_wheeler"}

    def classes(street: Street) -> set[str]:
        found = np.unique(POINT_CLASS[street.scenery.surfaces])
        return {POINT_LABELS.names[k] if k < len(POINT_LABELS) else "unlabeled" for k in found}

    assert classes(street_without("clutter")) <= {"road", "sidewalk", "terrain", "building"}
    assert kinds | {"unlabeled"} <= classes(full)


def test_unknown_feature_names_the_near_miss() -> None:
    with pytest.raises(ConfigError, match=r"no feature 'glas'.*did you mean 'glass'"):
        SceneFeatures.without(["glas"])


def test_command_line_leaves_out_and_says_so_in_the_name(tmp_path: Path) -> None:
    arguments = ["--shards", "--seed", "4", "--count", "1", "--sensor", "beam32", "--workers", "1"]
    for without in ("relief,glass", ""):
        assert main(["simulate", str(tmp_path), *arguments, "--without", without]) == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["beam32_0000004-glass-relief.npz", "beam32_0000004.npz"]

    default = simulate_scene(4, lidar_model("beam32"))
    assert (tmp_path / names[1]).read_bytes() == shard_bytes(default)
    with np.load(tmp_path / names[0]) as flat:
        assert spread_of_road(flat) < 0.25 < spread_of_road(default)


def spread_of_road(scene: Mapping[str, np.ndarray]) -> float:
    """Between the 5th and the 95th percentile of heights, metres."""
    road = scene["points"][scene["labels"] == POINT_LABELS.index("road")]
    return float(np.ptp(np.quantile(road[:, 2], [0.05, 0.95])))
