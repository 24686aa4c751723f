"""The smallest number of patients that meets a target, with its uncertainty, or the shortest follow-up; nothing is said
beyond what was simulated.

Power rises about as a probit line in the square root of the number of patients, as that of a z test does exactly; the
line is fitted by maximum likelihood to all numbers of patients together. Where it does not fit, as for assurance, which
need not reach 1, the powers themselves are made monotone and joined by lines on the same scales. The interval is a
parametric bootstrap's. References: Efron and Tibshirani (1993), An Introduction to the Bootstrap; Barlow et al. (1972),
monotone regression.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import isotonic_regression
from scipy.special import ndtr, ndtri

Array = np.ndarray
BOOTSTRAP, SEED = 2000, 1993
ROUNDING = 1e-9
MISFIT = 0.05  # p-value of the likelihood ratio below which the line is not believed


@dataclass(frozen=True)
class Axis:
    """What is made larger for more power.

    name: its label; unit: in which it is said; step: between two values of it that are looked at
    before: what comes before a value and its unit; fewer, fewest, were: what is said of less of it
    """

    name: str = "patients"
    unit: str = "patients"
    step: float = 1.0
    before: str = ""
    fewer: str = "fewer"
    fewest: str = "fewest"
    were: str = "were"

    def said(self, value: float) -> str:
        """A value in words."""
        return f"{self.before}{value:g} {self.unit}"

    def up(self, value: float) -> float:
        """The next value that is looked at, this one or a larger one."""
        return float(f"{np.ceil(value / self.step - ROUNDING) * self.step:.12g}")


NUMBER = Axis()


@dataclass(frozen=True)
class Smallest:
    """The smallest number of patients with a target power, or the shortest follow-up.

    Attributes
    ----------
    target : float
        The power.
    value : float or None
        The number; None where no simulated number reaches the target, or every one does.
    lower, upper : float or None
        95 % bootstrap interval, from Monte Carlo error alone; None where it reaches beyond what was simulated.
    least, most : float
        The fewest and the most patients that were simulated, or the shortest and the longest follow-up.
    reached : str
        "within", "nowhere" or "everywhere".
    method : str
        "probit" or "monotone".
    sentence : str
        All of it in words.
    """

    target: float
    value: float | None
    lower: float | None
    upper: float | None
    least: float
    most: float
    reached: str  # "within", "nowhere" or "everywhere"
    method: str
    sentence: str


def smallest_n(
    values: Sequence[float],
    met: Sequence[int],
    done: Sequence[int],
    target: float,
    word: str = "power",
    axis: Axis = NUMBER,
) -> Smallest:
    """The smallest number of patients with a target power, or the shortest follow-up, from counts.

    Parameters
    ----------
    values, met, done : sequence of float, int, int
        For each number of patients, how many replicates met the decision, of those done.
    target : float
        The power, in (0, 1).
    word : str
        What the share is called: "power" or "assurance".
    axis : Axis
        What the numbers are of.

    Returns
    -------
    Smallest
        Nothing is said beyond the numbers that were simulated.

    Raises
    ------
    ValueError
        Where fewer than two numbers of patients have any replicate.
    """
    order = np.argsort(values)
    n, k, m = (np.asarray(x, dtype=float)[order] for x in (values, met, done))
    n, k, m = n[m > 0], k[m > 0], m[m > 0]
    if len(n) < 2 or not 0 < target < 1:
        raise ValueError("two numbers of patients are needed, and a target between 0 and 1")
    line = _line(n, k[None], m)
    fitted = ndtr(line[:, :1] + line[:, 1:] * np.sqrt(n))[0]
    method = "probit" if len(n) == 2 or _p_value(k, m, fitted) > MISFIT else "monotone"
    if method == "monotone":
        fitted = _monotone(k, m)
    rng = np.random.default_rng(SEED)
    drawn = rng.binomial(m.astype(int), fitted, size=(BOOTSTRAP, len(n))).astype(float)
    if method == "probit":
        needed, again = float(_cross_line(line, target)[0]), _cross_line(_line(n, drawn, m), target)
    else:
        needed, again = _cross(n, fitted, target), np.array([_cross(n, _monotone(d, m), target) for d in drawn])
    low, high = np.quantile(again, [0.025, 0.975], method="closest_observation")
    return _said(target, needed, (low, high), n, k / m, method, word, axis)


def crossing(values: Sequence[float], met: Sequence[int], done: Sequence[int], target: float) -> float:
    """Where the line alone reaches a target, also beyond what was simulated; infinite where it never does."""
    n, k, m = (np.asarray(x, dtype=float) for x in (values, met, done))
    return float(_cross_line(_line(n, k[None], m), target)[0])


def _line(n: Array, met: Array, done: Array) -> Array:
    """(s, 2) intercept and slope of probit(power) on the root of n, by maximum likelihood (Fisher scoring), for (s, n)
    counts; the slope is not negative. Half a success and half a failure keep it finite. Roots are taken from their mean
    and in their SDs, without which numbers that lie close together leave intercept and slope almost collinear.
    """
    middle, spread = np.sqrt(n).mean(), np.sqrt(n).std()
    x = (np.sqrt(n) - middle) / spread
    k, m = met + 0.5, done + 1.0
    a, b = ndtri(np.clip(k.sum(axis=1) / m.sum(), 0.01, 0.99)), np.zeros(len(met))
    for _ in range(30):
        eta = np.clip(a[:, None] + b[:, None] * x, -6, 6)
        p, d = ndtr(eta), stats.norm.pdf(eta)
        weight = m * d**2 / (p * (1 - p))
        score = (k - m * p) * d / (p * (1 - p))
        s0, s1, s2 = weight.sum(axis=1), (weight * x).sum(axis=1), (weight * x * x).sum(axis=1)
        g0, g1 = score.sum(axis=1), (score * x).sum(axis=1)
        det = s0 * s2 - s1 * s1
        a, b = a + np.clip((s2 * g0 - s1 * g1) / det, -2, 2), b + np.clip((s0 * g1 - s1 * g0) / det, -2, 2)
    flat = b <= 0
    a = np.where(flat, ndtri(k.sum(axis=1) / m.sum()), a)
    b = np.where(flat, 0.0, b / spread)
    return np.stack([a - b * middle, b], axis=-1)


def _p_value(met: Array, done: Array, fitted: Array) -> float:
    """Of the likelihood ratio of the line against a power for each number of patients."""
    own = np.clip(met / done, 1e-9, 1 - 1e-9)
    fitted = np.clip(fitted, 1e-9, 1 - 1e-9)
    ratio = 2 * (met * np.log(own / fitted) + (done - met) * np.log((1 - own) / (1 - fitted))).sum()
    return float(stats.chi2.sf(ratio, len(met) - 2))


def _monotone(met: Array, done: Array) -> Array:
    return np.asarray(isotonic_regression(met / done, weights=done).x)


def _cross_line(line: Array, target: float) -> Array:
    """(s,) where each line reaches the target; infinite where it never does."""
    a, b = line.T
    with np.errstate(divide="ignore", invalid="ignore"):
        root = (ndtri(target) - a) / b
    return np.where(b > 0, np.maximum(root, 0.0) ** 2, np.where(ndtr(a) >= target, 0.0, np.inf))


def _cross(n: Array, power: Array, target: float) -> float:
    """Where lines on root n and the probit of power first reach the target; 0 or infinite where that is beyond."""
    if power[0] >= target:
        return 0.0
    if power[-1] < target:
        return float("inf")
    i = int(np.argmax(power >= target))
    z, x = ndtri(np.clip(power[i - 1 : i + 1], 1e-6, 1 - 1e-6)), np.sqrt(n[i - 1 : i + 1])
    return float((x[0] + (ndtri(target) - z[0]) / (z[1] - z[0]) * (x[1] - x[0])) ** 2)


def _said(
    target: float,
    needed: float,
    ends: tuple[float, float],
    n: Array,
    share: Array,
    method: str,
    word: str,
    axis: Axis,
) -> Smallest:
    a = f"An {word}" if word[0] in "aeiou" else f"A {word}"
    least, most = float(n[0]), float(n[-1])

    def inside(value: float) -> float | None:
        whole = axis.up(value) if np.isfinite(value) else np.inf
        return whole if least <= whole <= most else None

    def answer(value: float | None, lower: float | None, upper: float | None, reached: str, text: str) -> Smallest:
        said = f"{a} of {target:.0%} {text}"
        return Smallest(target, value, lower, upper, least, most, reached, method, said)

    if not np.isfinite(needed) or axis.up(needed) > most:
        there = f"{axis.said(most)} ({share[-1]:.0%} there), the most that {axis.were} simulated."
        return answer(None, inside(ends[0]), None, "nowhere", f"is not reached with up to {there}")
    if axis.up(needed) <= least:
        there = f"{axis.said(least)} already ({share[0]:.0%} there), the {axis.fewest} that {axis.were} simulated."
        return answer(None, None, inside(ends[1]), "everywhere", f"is reached with {there}")
    lower, upper, value = inside(ends[0]), inside(ends[1]), inside(needed)
    reach = f"{f'{axis.fewer} than {least:g}' if lower is None else f'{lower:g}'} to "
    reach += f"more than {most:g}" if upper is None else f"{upper:g}"
    takes = f"takes {axis.said(value or most)} (95% interval {reach}, from Monte Carlo error alone)."
    return answer(value, lower, upper, "within", takes)
