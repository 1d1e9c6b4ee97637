"""When a finding bears a claim out: the rule, on findings made up for it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import CELEBA, record
from scipy import stats

from dcl_book.finding import Finding
from dcl_book.verdicts import (
    BARRED,
    TOLD,
    VERDICTS,
    as_in_the_paper,
    chances,
    free_threshold,
    paper_excluded,
    verdict,
    zero_excluded,
)

FLOATS = st.floats(-30, 30, allow_nan=False)


@pytest.mark.parametrize(
    ("finding", "sign", "number", "like", "expected"),
    [
        (Finding(math.nan, math.nan, 0), 1, 8, True, "not tried"),
        (Finding(5, math.nan, 1), 1, 8, True, "undecided"),
        (Finding(1, 2, 5), 1, 1, True, "undecided"),
        (Finding(1, 2, 5), 1, math.nan, True, "undecided"),
        (Finding(1, 2, 5), 1, 8, True, "not seen"),  # holds zero, not the paper's number
        (Finding(-1, 2, 5), -1, -8, True, "not seen"),
        (Finding(-5, 1, 5), 1, 8, True, "opposite"),
        (Finding(5, 1, 5), -1, -4, True, "opposite"),
        (Finding(-0.3, 0.25, 5), 1, 8, True, "slightly opposite"),
        (Finding(8.5, 1, 5), 1, 8, True, "reproduced"),
        (Finding(-4.5, 1, 5), -1, -4, True, "reproduced"),
        (Finding(8.5, 1, 4), 1, 8, True, "agrees"),  # too few seeds
        (Finding(8.5, 5, 5), 1, 8, True, "agrees"),  # too wide
        (Finding(8.5, 1, 5), 1, 8, False, "agrees"),  # another setting
        (Finding(4.5, 1, 5), 1, 8, True, "same direction"),  # another amount
        (Finding(12.5, 1, 5), 1, 8, False, "same direction"),
        (Finding(5, 1, 5), 1, math.nan, True, "same direction"),  # no number to reproduce
        (Finding(0.1, 0.3, 2), 1, 8, True, "no difference"),
        (Finding(-0.2, 0.3, 5), 1, 8, True, "no difference"),
        (Finding(0.1, 0.5, 5), 1, 8, True, "not seen"),  # beyond the margin on one side
        (Finding(0.27, 0.1, 5), 1, 0.27, True, "reproduced"),  # a claim within the margin
        (Finding(0.27, 0.1, 5), 1, 0.27, False, "no difference"),
    ],
)
def test_verdicts_follow_the_rule(finding, sign, number, like, expected):
    assert verdict(finding, sign=sign, published=number, like=like) == expected


def test_the_margin_is_the_units():
    narrow = Finding(0.2, 0.1, 5)
    assert verdict(narrow, sign=1, published=0.62, like=False, margin=0.1) == ("same direction")
    assert verdict(Finding(0.02, 0.05, 5), sign=1, published=0.62, like=False, margin=0.1) == (
        "no difference"
    )


@given(FLOATS, st.floats(0, 20), st.floats(1, 3), st.integers(2, 9), FLOATS, st.booleans())
def test_a_wider_interval_never_earns_a_verdict(mean, half, wider, n, number, like):
    def found(half):
        return verdict(Finding(mean, half, n), sign=1, published=number, like=like)

    narrow, wide = found(half), found(half * wider)
    for earned in ("reproduced", "no difference", "opposite"):
        if wide == earned:  # what the wider earns, the narrower had already, or better
            assert narrow in (earned, "reproduced", "no difference")
    if wide == "reproduced":
        assert narrow == "reproduced"
    assert {narrow, wide} <= set(TOLD)


@given(FLOATS, st.floats(0, 20), st.integers(2, 9), FLOATS, st.sampled_from([1, -1]))
def test_the_word_says_what_the_two_questions_answer(mean, half, n, number, sign):
    finding = Finding(mean, half, n)
    word = verdict(finding, sign=sign, published=number, like=False)
    zero, paper = zero_excluded(finding, sign), paper_excluded(finding, number)
    if word == "no difference":
        assert max(abs(finding.low), abs(finding.high)) <= 0.5
        return
    assert (word in ("agrees", "same direction")) == (zero == "claimed")
    assert (word in ("opposite", "slightly opposite")) == (zero == "other")
    assert (word in ("not seen", "undecided")) == (zero == "no")
    if zero != "other":
        assert (word in ("agrees", "undecided")) == (paper == "no")


@given(FLOATS, st.floats(0, 20), st.integers(0, 9), FLOATS, st.sampled_from([1, -1]))
def test_reproduced_holds_the_side_the_seeds_the_width_and_the_setting(mean, half, n, number, sign):
    published = sign * abs(number)
    finding = Finding(mean, half, n)
    if verdict(finding, sign=sign, published=published, like=True) == "reproduced":
        assert n >= 5
        assert 2 * half <= abs(published) + 1e-9
        assert sign * mean >= 0
        assert verdict(finding, sign=sign, published=published, like=False) != "reproduced"


def test_what_bars_a_finding_goes_before_its_numbers():
    finding = Finding(8.0, 1.0, 5)
    for barred in BARRED:
        assert verdict(finding, sign=1, published=8, like=True, barred=barred) == barred
        assert barred in VERDICTS


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, True),
        ({"epochs": 301}, True),
        ({"epochs": 299}, False),
        ({"data": "faces"}, False),  # drawn
        ({"data": "peta"}, False),
        ({"found": CELEBA | {"train": 162_769}}, False),
        ({"found": {"train": 162_770, "test": 19_962}}, False),  # other splits
    ],
)
def test_only_the_papers_data_all_of_it_and_its_epochs_are_its_setting(changed, expected):
    made = record("dcl", 0, 80, **({"epochs": 300, "found": CELEBA} | changed))
    assert as_in_the_paper(made, "celeba") == expected


def test_splits_that_the_expected_counts_lack_are_not_the_papers():
    made = record("dcl", 0, 80, epochs=300, data="cifar100", found={"train": 1, "val": 1})
    made["dataset"]["expected"] = {"train": 1}
    assert not as_in_the_paper(made, "cifar100")


@given(FLOATS, st.floats(0, 20), st.integers(2, 9), st.sampled_from([0.1, 0.5]))
def test_the_three_chances_sum_to_one_and_turn_with_the_side(mean, half, n, margin):
    parts = chances(Finding(mean, half, n), margin)
    assert sum(parts) == pytest.approx(1)
    assert min(parts) >= -1e-12
    assert chances(Finding(mean, half, n), margin, -1) == pytest.approx(parts[::-1])


def test_chances_are_the_paired_ts():
    values = np.array([0.9, 1.4, 0.2, 1.1, 0.6])
    claimed, equal, opposite = chances(Finding.of(values), 0.5)
    t = stats.t(4, values.mean(), stats.sem(values))
    assert claimed == pytest.approx(t.sf(0.5))
    assert opposite == pytest.approx(t.cdf(-0.5))
    assert equal == pytest.approx(t.cdf(0.5) - t.cdf(-0.5))
    assert Finding.of(values).p_value() == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert np.isnan(chances(Finding(1.0, math.nan, 1), 0.5)).all()
    assert chances(Finding(1.0, 0.0, 3), 0.5) == (1, 0, 0)  # seeds that agree to the last digit
    assert Finding(1.0, 0.0, 3).p_value() == 1


@pytest.mark.parametrize(
    ("difference", "sign", "words"),
    [
        (Finding(-1.0, 0.5, 3), 1, "does as much"),
        (Finding(0.2, 0.2, 3), 1, "does as much"),  # ahead, within the margin
        (Finding(0.4, 0.3, 3), 1, "does less"),
        (Finding(2.0, 0.5, 3), 1, "does less"),
        (Finding(0.0, 2.0, 3), 1, "cannot be distinguished"),
        (Finding(1.0, 0.5, 3), -1, "does as much"),
        (Finding(2.0, math.nan, 1), 1, ""),
    ],
)
def test_a_free_threshold_does_as_much_where_the_method_is_not_beyond_the_margin(
    difference, sign, words
):
    assert free_threshold(difference, 0.5, sign) == words
