import numpy as np
import pytest

from spatial_perception.core.labels import CAMERA_OBJECT_LABELS, CAMVID_LABELS
from spatial_perception.core.pose import Pose
from spatial_perception.simulation import meshes
from spatial_perception.simulation.camera import CameraModel, Picture, boxes_2d, render
from spatial_perception.simulation.drive import OPTICAL_FROM_FORWARD
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.shading import Daylight, noise

from .scenes import block, plain, surroundings_of

MODEL = CameraModel(width=320, height=120, focal_px=180.0, center_x_px=159.5, center_y_px=50.0)
EYE = Pose(OPTICAL_FROM_FORWARD, np.array([0.0, 0.0, 1.6]))
DAY = Daylight(
    sun_direction=np.array([0.0, 0.6, 0.8]),
    sun=np.full(3, 2.0),
    sky=np.full(3, 0.5),
    zenith=np.array([0.3, 0.5, 0.9]),
    horizon=np.ones(3),
    exposure=1.0,
)


def picture_of(*groups: meshes.Mesh) -> Picture:
    return render(surroundings_of(*groups), EYE, MODEL, DAY, np.random.default_rng(0))


def test_object_appears_where_the_calibration_projects_it() -> None:
    picture = picture_of(plain(), block((10.5, 2.0, 0.5), (1.0, 1.0, 1.0)))
    box = boxes_2d(picture, ["car"], 7, "camera").boxes_xyxy_px[0]

    front = np.array([[10, 2.5, 1.0], [10, 1.5, 0.0]])  # upper left, lower right
    expected, depth = MODEL.calibration(7).project(EYE.inverse().apply(front))
    np.testing.assert_allclose(box[:2], expected[0], atol=1.5)
    np.testing.assert_allclose(box[3], expected[1, 1], atol=1.5)
    inside = picture.depth_m[picture.instances == 1]
    assert inside.min() == pytest.approx(depth[0], abs=0.02)


def test_depth_of_flat_ground_follows_from_the_row() -> None:
    picture = picture_of(plain())
    row = 90

    np.testing.assert_allclose(picture.depth_m[row], 1.6 * 180.0 / (row - 50.0), rtol=1e-3)


def test_sky_is_above_the_horizon_and_road_below() -> None:
    picture = picture_of(plain())

    assert (picture.labels[:45] == CAMVID_LABELS.index("sky")).all()
    assert (picture.labels[60:] == CAMVID_LABELS.index("road")).all()
    assert np.isinf(picture.depth_m[:45]).all()


def test_sun_throws_a_shadow_away_from_itself() -> None:
    picture = picture_of(plain(gray=70), block((9.0, 0.0, 1.5), (3.0, 0.6, 3.0)))

    def brightness(y: float) -> float:
        uv, _ = MODEL.calibration(0).project(EYE.inverse().apply(np.array([[9.0, y, 0.0]])))
        column, row = np.round(uv[0]).astype(int)
        return float(picture.pixels[row - 1 : row + 2, column - 1 : column + 2].mean())

    assert brightness(-1.2) < 0.75 * brightness(1.2)


def test_red_light_is_red_and_boxed_as_a_traffic_light() -> None:
    housing = meshes.boxes([[8, 0, 2]], [[0.2, 0.6, 1.6]], Surface.LIGHT_HOUSING, (20, 20, 20))
    lamp = meshes.boxes([[7.85, 0, 2.4]], [[0.05, 0.4, 0.4]], Surface.LAMP, (235, 30, 25))
    picture = picture_of(meshes.merge([plain(), housing, lamp]))
    found = boxes_2d(picture, [], 0, "camera")

    assert [CAMERA_OBJECT_LABELS.name(k) for k in found.labels] == ["traffic_light"]
    red = picture.pixels[picture.surfaces == Surface.LAMP].mean(0)
    assert red[0] > 1.5 * red[1]


def test_unlabelled_furniture_stays_unlabelled() -> None:
    bench = meshes.boxes([[8, 0, 1]], [[1, 2, 2]], Surface.FURNITURE, (90, 80, 70))
    picture = picture_of(meshes.merge([plain(), bench]))

    assert (picture.labels[picture.surfaces == Surface.FURNITURE] == 255).all()


def test_noise_repeats_after_its_period_without_a_seam() -> None:
    u, v = np.random.default_rng(0).uniform(0, 10, (2, 500))

    same = noise(u, v, 10.0) == noise(u + 30.0, v - 20.0, 10.0)
    assert same.mean() > 0.98
    across = noise(np.array([9.999, 0.0]), np.full(2, 3.0), 10.0)
    assert abs(across[0] - across[1]) < 1.5


def test_a_rider_is_boxed_as_a_person_beside_the_machine() -> None:
    machine = meshes.boxes([[8, 0, 0.5]], [[1, 0.2, 1.0]], Surface.CYCLE, (60, 60, 60))
    rider = meshes.boxes([[8, 0, 1.5]], [[0.5, 0.4, 0.8]], Surface.RIDER, (60, 60, 200))
    picture = picture_of(plain(), meshes.merge([machine, rider]))
    found = boxes_2d(picture, ["motorcycle"], 0, "camera")

    names = [CAMERA_OBJECT_LABELS.name(k) for k in found.labels]
    assert sorted(names) == ["motorcycle", "person"]
    person, motorcycle = (found.boxes_xyxy_px[names.index(n)] for n in ("person", "motorcycle"))
    assert person[3] <= motorcycle[1] + 3
