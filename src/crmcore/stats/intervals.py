"""Confidence intervals of proportions, and of sums and ratios of them.

Invariant: ``low <= value <= high``. Of one proportion, more trials never give a wider interval, and
whoever has looked at everything is certain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import NormalDist

import attrs

from crmcore.errors import InvalidValue

_HALVINGS = 60
"""Halvings of [0, 1] after which nothing is left between two floats that matter."""


@attrs.frozen
class Estimate:
    """A *value* that was estimated, and the interval from *low* to *high* that is to hold the true one."""

    value: float
    low: float
    high: float

    def __attrs_post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            raise InvalidValue("an estimate lies within its interval: give value, low and high in this order")

    def text(self) -> str:
        """The estimate for people to read, in four decimals.

        >>> Estimate(0.875, 0.84, 0.9).text()
        '0.8750 (0.8400 to 0.9000)'
        """
        return f"{self.value:.4f} ({self.low:.4f} to {self.high:.4f})"


def wilson(
    successes: float, trials: float, *, population: int | None = None, confidence: float = 0.95
) -> Estimate:
    """The proportion of which *successes* of *trials* are a sample, with the score interval.

    It keeps close to the confidence asked for also where the proportion is near 0 or 1 or the trials are few, and
    never leaves [0, 1]. Of a finite *population* from which the trials were drawn without putting back, the normal
    quantile is corrected by (population - trials) / (population - 1). Trials need not be whole: an effective number
    of them stands for a sample of unequal weights.

    Source: E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22:209-212;
    compared with others by R. G. Newcombe (1998), Statistics in Medicine 17:857-872, and L. D. Brown, T. T. Cai,
    A. DasGupta (2001), Statistical Science 16:101-133. Finite populations: W. G. Cochran (1977), Sampling Techniques.

    Raises:
        InvalidValue: if there are no trials, more successes than trials, or more trials than the population has.

    >>> wilson(81, 263).text()
    '0.3080 (0.2553 to 0.3662)'
    >>> wilson(20, 20).text(), wilson(20, 20, population=20).text()
    ('1.0000 (0.8389 to 1.0000)', '1.0000 (1.0000 to 1.0000)')
    """
    if not (0 <= successes <= trials and 0 < trials < math.inf):
        raise InvalidValue("a proportion takes at least one trial, and at most as many successes as trials")
    if population is not None and trials > population:
        raise InvalidValue("a sample is not larger than what it was drawn from: check the population")
    share = successes / trials
    if population is not None and trials == population:
        return Estimate(share, share, share)
    square = quantile(confidence) ** 2 / trials
    if population is not None:
        square *= min(1.0, (population - trials) / max(1, population - 1))
    middle = share + square / 2
    reach = math.sqrt(square * (share * (1 - share) + square / 4))
    low, high = (middle - reach) / (1 + square), (middle + reach) / (1 + square)
    # Rounding must not leave a bound on the wrong side of what it bounds.
    return Estimate(share, max(0.0, min(share, low)), min(1.0, max(share, high)))


def quantile(confidence: float) -> float:
    """The normal quantile of a two-sided interval.

    Raises:
        InvalidValue: if *confidence* is not between 0 and 1.

    >>> round(quantile(0.95), 6)
    1.959964
    """
    if not 0 < confidence < 1:
        raise InvalidValue("a confidence lies between 0 and 1, such as 0.95")
    return NormalDist().inv_cdf((1 + confidence) / 2)


def weighted_sum(terms: Iterable[tuple[float, Estimate]], constant: float = 0.0) -> Estimate:
    """The sum of independent estimates, each times its weight, which may be negative, and of a *constant*.

    The distances of the sum from its bounds are the square roots of the sums of the squared distances of the terms
    (MOVER, the method of variance estimates recovery). With the weights 1 and -1 and Wilson's intervals it is
    Newcombe's interval of a difference.

    Source: G. Y. Zou, W. Huang, X. Zhang (2009), A note on confidence interval estimation for a linear function of
    binomial proportions, Computational Statistics & Data Analysis 53:1080-1085.

    >>> weighted_sum([(1, wilson(56, 70)), (-1, wilson(48, 80))]).text()
    '0.2000 (0.0524 to 0.3339)'
    """
    terms = tuple(terms)
    value = constant + math.fsum(weight * part.value for weight, part in terms)
    down = math.hypot(
        *(weight * (part.value - (part.low if weight > 0 else part.high)) for weight, part in terms)
    )
    up = math.hypot(
        *(weight * ((part.high if weight > 0 else part.low) - part.value) for weight, part in terms)
    )
    return Estimate(value, value - down, value + up)


def ratio(terms: Sequence[tuple[float, float, Estimate]], constant: float = 0.0) -> Estimate | None:
    """What share of a whole a part is, where both are sums of the same estimates; None if the whole is nothing.

    Each of *terms* is its weight in the part, its weight in the whole, and the estimate of a proportion; the
    *constant* belongs to the whole. No weight is negative. A share *r* is in the interval if the interval of
    ``part - r * whole`` (`weighted_sum`) holds 0, as E. C. Fieller has it.

    Source: A. Donner, G. Y. Zou (2012), Closed-form confidence intervals for functions of the normal mean and standard
    deviation, Statistical Methods in Medical Research 21:347-359, section on ratios; solved here by halving.

    Raises:
        InvalidValue: if a weight is negative, or the part could be more than the whole.

    >>> one, other = wilson(90, 100), wilson(10, 100)
    >>> found = ratio([(50, 50, one), (0, 200, other)])
    >>> found.text() if found else None
    '0.6923 (0.5614 to 0.8032)'
    """
    if constant < 0 or any(part < 0 or whole < 0 for part, whole, _ in terms):
        raise InvalidValue("the weights of a ratio are not negative")
    top = math.fsum(part * estimate.value for part, _, estimate in terms)
    bottom = constant + math.fsum(whole * estimate.value for _, whole, estimate in terms)
    if top > bottom * (1 + 1e-12):
        raise InvalidValue("a part is not more than its whole: check the weights")
    if bottom == 0:
        return None

    def rest(share: float) -> Estimate:
        return weighted_sum(
            ((part - share * whole, estimate) for part, whole, estimate in terms), -share * constant
        )

    value = min(1.0, top / bottom)
    low = _turning(lambda share: rest(share).low >= 0)
    high = _turning(lambda share: rest(share).high >= 0)
    return Estimate(value, min(value, low), max(value, high))


def _turning(holds: Callable[[float], bool]) -> float:
    """Up to where in [0, 1] *holds* does, given that it does from 0 on and never again later."""
    if holds(1.0):
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
