"""Eq. 1-4 and 11."""

import itertools
import math

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dcl import loss_schedule, reference, schedule

NAMES = ["convex", "linear", "concave", "composite"]
FRACTION = st.floats(0, 1)


@given(st.sampled_from(NAMES), FRACTION, st.integers(1, 400), st.floats(0.5, 0.999))
def test_schedule_is_the_papers_formula(name, share, epochs, decay):
    epoch = share * epochs
    ours = schedule(name, epoch, epochs, decay=decay)
    assert math.isclose(ours, oracles.schedule(name, epoch, epochs, decay), abs_tol=1e-12)
    assert 0 <= ours <= 1


@pytest.mark.parametrize("name", NAMES)
def test_schedules_fall_from_one_and_never_rise(name):
    values = [schedule(name, epoch, 300) for epoch in range(301)]
    assert values[0] == 1
    assert all(a >= b for a, b in itertools.pairwise(values))
    assert values[-1] < (0.05 if name == "concave" else 1e-12)


@pytest.mark.parametrize("value", [0, 0.25, 1])
def test_constant_is_its_value_at_every_epoch(value):
    assert {schedule("constant", epoch, 10, value=value) for epoch in range(11)} == {value}


@given(st.sampled_from(NAMES), FRACTION, st.integers(1, 400), FRACTION, st.floats(0, 2))
def test_loss_schedule_is_equation_11(name, share, epochs, p, epsilon):
    epoch = share * epochs
    ours = loss_schedule(epoch, epochs, schedule=name, p=p, epsilon=epsilon)
    literal = reference.loss_schedule(
        epoch, epochs, p=p, epsilon=epsilon, sf=lambda *at: oracles.schedule(name, *at)
    )
    assert math.isclose(ours, literal, abs_tol=1e-12)


def test_loss_schedule_jumps_at_the_self_learning_point():
    before, after = loss_schedule(89.999, 300), loss_schedule(90, 300)
    assert round(before, 3) == 0.894
    assert after == 0.1


@pytest.mark.parametrize("f", [loss_schedule, reference.loss_schedule])
@pytest.mark.parametrize("steps", [1, 7, 10, 100])
def test_no_rounding_delays_the_self_learning_point_by_a_step(f, steps):
    """0.55 * 100 is 55.00000000000001, and epoch 55 is not before it."""
    for percent in range(1, 100):
        jump = percent * steps  # step of a training of 100 epochs
        for step, low in ((jump - 1, False), (jump, True), (jump + 1, True)):
            epoch = step // steps + step % steps / steps
            level = f(epoch, 100, p=percent / 100, epsilon=0.1)
            assert (level == 0.1) == low or epoch == 99.99  # composite rounds to 0 there


def test_numbers_of_numpy_give_plain_floats():
    decay, epoch = np.float32(0.99), np.float64(3)
    for value in (schedule("concave", epoch, 10, decay=decay), loss_schedule(epoch, 10, p=decay)):
        assert type(value) is float
    for name in NAMES:
        assert type(schedule(name, epoch, np.float32(10))) is float


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: schedule("never", 0, 10), "never.*convex, linear"),
        (lambda: schedule("convex", 11, 10), r"\[0, 10\], got 11"),
        (lambda: schedule("convex", -1, 10), "-1"),
        (lambda: schedule("convex", math.nan, 10), "nan"),
        (lambda: schedule("convex", 0, 0), "above 0, got 0"),
        (lambda: schedule("convex", 0, math.inf), "above 0, got inf"),
        (lambda: schedule("convex", "5", 10), "got '5'"),
        (lambda: schedule("convex", 5, 10, decay=7), "got 7"),  # not in use, and checked
        (lambda: schedule("convex", 5, 10, value=9), "got 9"),
        (lambda: schedule("concave", 1, 10, decay=1), r"\(0, 1\), got 1"),
        (lambda: schedule("constant", 1, 10), "needs a value"),
        (lambda: schedule("constant", 1, 10, value=1.5), "1.5"),
        (lambda: loss_schedule(1, 10, p=2), r"\[0, 1\], got 2"),
        (lambda: loss_schedule(1, 10, p=True), "got True"),
        (lambda: loss_schedule(1, 10, epsilon=-0.1), "-0.1"),
        (lambda: loss_schedule(1, 10, schedule="constant"), "number"),
    ],
)
def test_impossible_values_are_named(call, names):
    with pytest.raises(ValueError, match=names):
        call()


def test_a_tensor_in_the_place_of_a_number_is_told_of_its_item():
    with pytest.raises(ValueError, match=r"epoch must be a plain number, got tensor\(3.\).*item"):
        schedule("convex", torch.tensor(3.0), 10)
