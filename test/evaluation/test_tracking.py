"""Tracking metrics agree with py-motmetrics and TrackEval, and with cases counted by hand."""

import importlib

import numpy as np
import pytest

from spatial_perception.evaluation.tracking import (
    TrackingCounts,
    TrackingFrame,
    combined,
    count_tracking,
)


def frame(truths: list[int], tracks: list[int], similarity: np.ndarray) -> TrackingFrame:
    errors = np.full((len(truths), len(tracks)), np.nan)
    return TrackingFrame(
        np.array(truths, np.int64), np.array(tracks, np.int64), np.asarray(similarity), errors
    )


def random_sequence(
    seed: int, frames: int = 60, objects: int = 8, area_m: float = 12.0
) -> list[TrackingFrame]:
    """Objects on random walks, tracked with noise, misses, false alarms and swaps of ids."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(-area_m, area_m, (objects, 2))
    ids = np.arange(100, 100 + objects)
    sequence = []
    for _ in range(frames):
        places = places + rng.normal(0, 0.4, places.shape)
        if rng.random() < 0.15:
            i, j = rng.choice(objects, 2, replace=False)
            ids[i], ids[j] = ids[j], ids[i]
        if rng.random() < 0.1:
            ids[rng.integers(objects)] = ids.max() + 1
        there = np.flatnonzero(rng.random(objects) < 0.9)
        seen = np.flatnonzero(rng.random(objects) < 0.85)
        noisy = places[seen] + rng.normal(0, 0.5, (len(seen), 2))
        false = rng.uniform(-area_m, area_m, (rng.poisson(0.7), 2))
        found = np.concatenate([noisy, false])
        names = [*ids[seen].tolist(), *(1000 + rng.integers(0, 10**6, len(false))).tolist()]
        away = np.hypot(*(places[there][:, None] - found[None]).transpose(2, 0, 1))
        sequence.append(frame(there.tolist(), names, np.maximum(0, 1 - away / 4)))
    return sequence


@pytest.mark.parametrize("seed", range(5))
def test_clear_mot_agrees_with_py_motmetrics(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(np, "asfarray"):  # py-motmetrics 1.4 was written for NumPy 1
        monkeypatch.setattr(np, "asfarray", lambda a: np.asarray(a, float), raising=False)
    motmetrics = pytest.importorskip("motmetrics")
    # far apart: where a choice is left, it prefers matches of any earlier frame, TrackEval the last
    sequence = random_sequence(seed, area_m=400.0)
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for one in sequence:
        distance = np.where(one.similarity >= 0.5, 1 - one.similarity, np.nan)
        accumulator.update(one.truth_ids.tolist(), one.track_ids.tolist(), distance)
    wanted = ["num_misses", "num_false_positives", "num_switches", "mota", "motp", "num_matches"]
    theirs = motmetrics.metrics.create().compute(accumulator, metrics=wanted).iloc[0]
    ours = count_tracking(sequence)
    assert ours.misses == theirs["num_misses"]
    assert ours.false_alarms == theirs["num_false_positives"]
    assert ours.switches == theirs["num_switches"] > 0
    assert ours.metrics()["mota"] == pytest.approx(100 * theirs["mota"])
    assert ours.metrics()["motp"] == pytest.approx(100 * (1 - theirs["motp"]))


@pytest.mark.parametrize("seed", range(5))
def test_hota_and_clear_agree_with_trackeval(seed: int) -> None:
    pytest.importorskip("trackeval")
    hota = importlib.import_module("trackeval.metrics.hota").HOTA()
    clear = importlib.import_module("trackeval.metrics.clear").CLEAR({"PRINT_CONFIG": False})
    sequence = random_sequence(seed)
    data = trackeval_data(sequence)
    ours = count_tracking(sequence).metrics()
    theirs = hota.eval_sequence(data)
    assert ours["hota"] == pytest.approx(100 * float(np.mean(theirs["HOTA"])))
    theirs = clear.eval_sequence(data)
    assert ours["mota"] == pytest.approx(100 * theirs["MOTA"])
    assert ours["motp"] == pytest.approx(100 * theirs["MOTP"])
    truths = sum(len(one.truth_ids) for one in sequence)
    assert ours["id_switches_per_1000"] == pytest.approx(1000 * theirs["IDSW"] / truths)
    assert ours["fragmentation_per_1000"] == pytest.approx(1000 * theirs["Frag"] / truths)


def trackeval_data(sequence: list[TrackingFrame]) -> dict[str, object]:
    truths = np.unique(np.concatenate([one.truth_ids for one in sequence]))
    tracks = np.unique(np.concatenate([one.track_ids for one in sequence]))
    return {
        "num_timesteps": len(sequence),
        "num_gt_ids": len(truths),
        "num_tracker_ids": len(tracks),
        "num_gt_dets": sum(len(one.truth_ids) for one in sequence),
        "num_tracker_dets": sum(len(one.track_ids) for one in sequence),
        "gt_ids": [np.searchsorted(truths, one.truth_ids) for one in sequence],
        "tracker_ids": [np.searchsorted(tracks, one.track_ids) for one in sequence],
        "similarity_scores": [one.similarity for one in sequence],
    }


def test_a_swap_of_two_ids_is_two_switches() -> None:
    near = np.eye(2)
    counts = count_tracking([frame([1, 2], [10, 20], near), frame([1, 2], [20, 10], near)])
    assert (counts.hits, counts.misses, counts.switches) == (4, 0, 2)
    assert counts.metrics()["mota"] == 50.0  # (4 - 2) of 4


def test_an_object_lost_and_found_again_is_one_fragment() -> None:
    none = np.zeros((1, 0))
    counts = count_tracking(
        [frame([1], [5], [[1.0]]), frame([1], [], none), frame([1], [5], [[1.0]])]
    )
    assert (counts.fragments, counts.switches, counts.misses) == (1, 0, 1)


def test_velocity_error_is_taken_over_hits_that_count() -> None:
    one = TrackingFrame(
        np.array([1, 2]), np.array([7, 8]), np.eye(2), np.array([[3.0, 9.0], [9.0, np.nan]])
    )
    counts = count_tracking([one, one])
    assert counts.metrics()["velocity_rmse_mps"] == 3.0


def test_sequences_add_up_by_weight() -> None:
    first, second = (count_tracking(random_sequence(seed)) for seed in (8, 9))
    both = combined([first, second], np.array([2, 1]))
    assert both.hits == 2 * first.hits + second.hits
    assert np.allclose(both.hota_hits, 2 * first.hota_hits + second.hota_hits)


def test_nothing_true_gives_no_metric() -> None:
    assert count_tracking([]).metrics() == {}
    assert isinstance(count_tracking([frame([], [3], np.zeros((0, 1)))]), TrackingCounts)


def test_an_object_is_lost_in_a_frame_without_any_track() -> None:
    """TrackEval passes over such a frame and counts no fragment."""
    seen, lost = frame([1], [7], [[0.9]]), frame([1], [], np.zeros((1, 0)))
    counts = count_tracking([seen, lost, seen])
    assert (counts.hits, counts.misses, counts.switches, counts.fragments) == (2, 1, 0, 1)
