import cv2
import numpy as np

from spatial_perception.evaluation.figures import confusion_figure, write_figures
from spatial_perception.evaluation.measurement import Illustration
from spatial_perception.evaluation.precision_recall import Curve


def illustration(drawn, **options):
    def picture(index):
        drawn.append(index)
        return np.full((20, 30, 3), 40 * index, np.uint8)

    return Illustration(["a", "b", "c"], np.array([1.0, 5.0, 0.0]), picture, **options)


def test_the_worst_frame_comes_first_in_one_figure_and_the_best_in_the_other(tmp_path):
    drawn = []
    written = write_figures(illustration(drawn), tmp_path / "new", "net on camvid")
    assert [path.name for path in written] == ["worst.png", "best.png"]
    assert drawn == [1, 0, 2, 2, 0, 1]
    assert all(cv2.imread(str(path)) is not None for path in written)


def test_as_many_examples_are_drawn_as_asked_for(tmp_path):
    drawn = []
    write_figures(illustration(drawn, examples=1), tmp_path, "t")
    assert drawn == [1, 2]


def test_detectors_get_curves_and_classifiers_a_confusion(tmp_path):
    curve = Curve(np.array([0.9]), np.array([0.5]), np.array([1.0]))
    files = write_figures(illustration([], curves={"car": curve}), tmp_path, "t")
    assert files[0].name == "precision_recall.png"
    counts = np.array([[3, 1, 0], [0, 2, 2]])
    options = {"confusion": counts, "classes": ("road", "car")}
    files = write_figures(illustration([], **options), tmp_path, "t")
    assert files[0].name == "confusion.png"


def test_confusion_shows_shares_of_the_true_class():
    figure = confusion_figure(np.array([[3, 1], [0, 0]]), ("road", "car"), "t")
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert shown == ["75", "25", "0", "0"]
    assert figure.axes[0].images[0].get_array().tolist() == [[75, 25], [0, 0]]
