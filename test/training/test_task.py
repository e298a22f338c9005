import numpy as np
import pytest

from spatial_perception.training.task import EpochOrder, sample_generator, step_seed


def test_every_epoch_shows_every_sample_once_in_another_order():
    order = EpochOrder(10, 4, seed=1)
    stream = np.concatenate([order.indices(step) for step in range(10)])
    epochs = stream.reshape(4, 10)
    for epoch in epochs:
        assert sorted(epoch) == list(range(10))
    assert not np.array_equal(epochs[0], epochs[1])


def test_a_step_has_the_same_samples_whenever_it_is_asked():
    order = EpochOrder(10, 4, seed=1)
    later = order.indices(7)
    order.indices(0)
    np.testing.assert_array_equal(order.indices(7), later)
    assert not np.array_equal(EpochOrder(10, 4, seed=2).indices(7), later)


def test_a_batch_may_be_larger_than_the_data():
    assert len(EpochOrder(3, 8, seed=0).indices(0)) == 8


def test_an_empty_data_set_is_refused():
    with pytest.raises(ValueError, match="expected samples"):
        EpochOrder(0, 8, seed=0)


def test_samples_of_a_step_are_independent():
    draws = {sample_generator(0, step, slot).random() for step in range(3) for slot in range(3)}
    assert len(draws) == 9
    assert step_seed(0, 1) != step_seed(1, 0)
