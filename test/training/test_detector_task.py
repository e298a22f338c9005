from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from spatial_perception.core.labels import CAMERA_OBJECT_LABELS
from spatial_perception.datasets.boxes import BoxPicture, read_box_list, write_box_list
from spatial_perception.errors import DatasetError
from spatial_perception.training.augment_images import ColorAugmentation, GeometryAugmentation
from spatial_perception.training.checkpoint import save_weights
from spatial_perception.training.detector_task import DetectorConfig, DetectorTask
from spatial_perception.training.fit_config import FitConfig

CAR = CAMERA_OBJECT_LABELS.index("car")
CONFIG = DetectorConfig(
    depth=12,
    neck_width=16,
    pretrained=False,
    validate_share=0.2,
    batch_size=4,
    size_hw=(96, 128),
    export_shapes_hw=((96, 128),),
    mosaic=0.0,
    geometry=GeometryAugmentation(scale=(0.9, 1.1), rotation_deg=0.0),
    color=ColorAugmentation(0.1, 0.1, 0.1, 0.0, 0.0, 0.0),
    fit=FitConfig(device="cpu"),
)


@pytest.fixture
def root(tmp_path) -> Path:
    """Ten pictures with one bright rectangle each."""
    generator = np.random.default_rng(0)
    pictures = []
    for number in range(10):
        image = generator.integers(0, 60, (96, 128, 3), dtype=np.uint8)
        left, top = generator.integers(5, (80, 50))
        image[top : top + 32, left : left + 40] = 230
        path = tmp_path / f"{number}.png"
        cv2.imwrite(str(path), image)
        box = np.array([[left, top, left + 40, top + 32]], np.float32)
        labels = np.array([CAR], np.int32)
        pictures.append(BoxPicture(path, box, labels, np.zeros((0, 4), np.float32)))
    write_box_list(tmp_path / "boxes.json", tmp_path, pictures)
    return tmp_path


def test_a_list_of_which_nothing_is_left_to_train_on_is_refused(root):
    write_box_list(root / "boxes.json", root, read_box_list(root / "boxes.json", root)[:1])
    with pytest.raises(
        DatasetError, match=r"boxes\.json: no picture is left to train on: 1 of the 1"
    ):
        DetectorTask("camera_detector", replace(CONFIG, validate_share=0.9), root)


def test_crops_that_were_not_pasted_are_no_training_data(root):
    task = DetectorTask("camera_detector", CONFIG, root)
    assert "pasted" not in " ".join(task.export_plan(task.network()).training_data)


def test_simulated_pictures_train_and_do_not_validate(root):
    folder = root / "simulated"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), np.full((96, 128, 3), 7, np.uint8))
    bus = np.array([CAMERA_OBJECT_LABELS.index("bus")], np.int32)
    box = np.array([[10, 10, 90, 80]], np.float32)
    picture = BoxPicture(folder / "a.png", box, bus, np.zeros((0, 4), np.float32))
    write_box_list(folder / "boxes.json", folder, [picture])
    task = DetectorTask("camera_detector", replace(CONFIG, simulated="simulated"), root)

    seen = [label for step in range(9) for one in task.batch(step).labels for label in one.tolist()]
    assert bus[0] in seen
    with torch.inference_mode():
        assert "bus_ap_0.5" not in task.validate(task.start().eval(), torch.device("cpu"))


def test_the_network_learns_to_box_what_it_is_shown(root):
    torch.manual_seed(0)
    task = DetectorTask("camera_detector", CONFIG, root)
    network = task.start()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.2  # as published it takes hundreds of steps
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    losses = []
    for step in range(60):
        loss, _ = task.loss(network.train(), task.batch(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])
    with torch.inference_mode():
        metrics = task.validate(network.eval(), torch.device("cpu"))
    assert next(iter(metrics)) == "map_0.5"
    assert metrics["car_ap_0.5"] > 50.0


def test_a_batch_is_a_function_of_the_step(root):
    task = DetectorTask("camera_detector", replace(CONFIG, mosaic=0.5), root)
    first, again = task.batch(5), task.batch(5)
    assert torch.equal(first.image, again.image)
    for one, other in zip(first.boxes, again.boxes, strict=True):
        assert torch.equal(one, other)


def test_weights_of_another_model_are_taken_over_where_they_fit(root):
    task = DetectorTask("camera_detector", CONFIG, root)
    source = task.network().state_dict()
    given = {key: torch.full_like(value, 0.125) for key, value in source.items() if "stem.0" in key}
    save_weights(root / "best.pt", {**given, "unknown": torch.ones(1)}, {}, 0)
    config = replace(CONFIG, initial=str(root / "best.pt"))
    network = DetectorTask("camera_detector", config, root).start()
    assert (network.encoder.stem[0].weight == 0.125).all()


def test_crops_of_signs_and_lights_are_pasted_and_boxed(root):
    signs = root / "signs" / "Final_Training" / "Images" / "00000"
    signs.mkdir(parents=True)
    for frame in range(5):
        cv2.imwrite(str(signs / f"{frame:05d}_00000.ppm"), np.full((32, 32, 3), 200, np.uint8))
    for name in ("red", "yellow", "green"):
        (root / "lights" / name).mkdir(parents=True)
        for number in range(6):
            cv2.imwrite(str(root / "lights" / name / f"{number}.png"), np.zeros((20, 10, 3)))
    config = replace(CONFIG, sign_crops="signs", light_crops="lights", paste=1.0)
    task = DetectorTask("camera_detector", config, root)
    labels = torch.cat([labels for step in range(5) for labels in task.batch(step).labels])
    found = {CAMERA_OBJECT_LABELS.name(int(label)) for label in labels}
    assert found == {"car", "traffic_sign", "traffic_light"}
