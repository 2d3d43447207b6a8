"""The arithmetic of experiments (definitions 32): is the split sound, how far apart are two arms, how sure is that.

Importing this costs a process 43 MB, because it brings scipy: import it where an experiment is asked for, and not at
the top of what a web process loads.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from scipy.special import betaln, chdtrc, ndtri

# A split that is as uneven as this once in a thousand sound experiments is taken for broken.
MISMATCH = 0.001
FEWEST_CONVERSIONS = 100
# How often a verdict may be wrong when the arms do not differ; shared by all comparisons of an experiment.
ERROR = 0.05


@dataclass(slots=True, frozen=True)
class Arm:
    participants: int
    conversions: int

    @property
    def rate(self) -> float:
        return self.conversions / self.participants if self.participants else 0.0


@dataclass(slots=True, frozen=True)
class Uplift:
    """How much more often an arm converts than the control, as a share of the control's rate, with its interval."""

    value: float
    low: float
    high: float

    @property
    def is_certain(self) -> bool:
        return self.low > 0 or self.high < 0


def split_p(counts: Sequence[int], weights: Sequence[float]) -> float:
    """How likely a split at least as uneven is, when everybody is given an arm by these weights (chi-squared)."""
    total, whole = sum(counts), sum(weights)
    if len(counts) < 2 or not total:
        return 1.0
    expected = [total * weight / whole for weight in weights]
    statistic = sum((count - mean) ** 2 / mean for count, mean in zip(counts, expected, strict=True))
    return float(chdtrc(len(counts) - 1, statistic))


def uplift(control: Arm, arm: Arm, *, comparisons: int = 1) -> Uplift | None:
    """The ratio of the rates less one, with Katz's interval of its logarithm; None while an arm has no conversions.

    Of several comparisons each gets its share of ERROR (Bonferroni), so that all intervals hold together.
    """
    if not control.conversions or not arm.conversions:
        return None
    ratio = arm.rate / control.rate
    variance = (1 / arm.conversions - 1 / arm.participants) + (1 / control.conversions - 1 / control.participants)
    reach = float(ndtri(1 - ERROR / comparisons / 2)) * math.sqrt(variance)
    return Uplift(ratio - 1, ratio * math.exp(-reach) - 1, ratio * math.exp(reach) - 1)


def probability_better(control: Arm, arm: Arm) -> float:
    """The probability that the arm's true rate is the greater one, both being unknown before (uniform).

    With whole numbers the integral over two beta distributions is a finite sum.
    """
    a, b = control.conversions + 1, control.participants - control.conversions + 1
    c, d = arm.conversions + 1, arm.participants - arm.conversions + 1
    steps = numpy.arange(c)
    terms = betaln(a + steps, b + d) - numpy.log(d + steps) - betaln(1 + steps, d) - betaln(a, b)
    return float(min(1.0, numpy.exp(terms).sum()))
