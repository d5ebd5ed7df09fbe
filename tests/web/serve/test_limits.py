"""Numbers that are limits, and buckets that fill again."""

from __future__ import annotations

import pytest

from synth_affect.errors import InputError
from synth_affect.web.serve.limits import MOST_ADDRESSES, Limits, Rate, megabytes


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_empties_and_fills_again() -> None:
    clock = Clock()
    rate = Rate(3, 2.0, clock)
    assert [rate.take("a") for _ in range(4)] == [True, True, True, False]
    assert rate.take("b"), "each address has its own"
    clock.now = 0.6
    assert [rate.take("a") for _ in range(2)] == [True, False]
    clock.now = 1000.0
    assert [rate.take("a") for _ in range(4)] == [True, True, True, False], "it never holds more than its burst"


def test_addresses_are_forgotten_in_the_end() -> None:
    rate = Rate(1, 0.0, Clock())
    assert rate.take("first")
    for number in range(MOST_ADDRESSES):
        rate.take(str(number))
    assert rate.take("first")


@pytest.mark.parametrize(
    ("limits", "option"),
    [
        ({"megapixels": 0}, "--max-megapixels"),
        ({"megapixels": float("nan")}, "--max-megapixels"),
        ({"sessions": 0}, "--max-sessions"),
        ({"idle_minutes": -1}, "--idle-minutes"),
    ],
)
def test_numbers_that_are_no_limits(limits: dict[str, float], option: str) -> None:
    with pytest.raises(InputError, match=option):
        Limits(**limits)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, -1, float("nan"), 1e9])
def test_megabytes_that_are_none(count: float) -> None:
    with pytest.raises(InputError, match="--max-megabytes"):
        megabytes(count)


def test_megabytes() -> None:
    assert megabytes(2) == 2 << 20
