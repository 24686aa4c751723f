"""The cumulative family: ordered grades that are categories, not numbers (the MRC grade of a single muscle)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import special

from bayesmyo.components.component import Scale
from bayesmyo.components.families.family import Arrays, Cells, Family
from bayesmyo.components.families.tails import log_logistic_between, log_ndtr, log_normal_between, log_sigmoid
from bayesmyo.components.families.thresholds import InducedDirichlet, Link, parse_joint
from bayesmyo.components.in_r import Call
from bayesmyo.components.priors import Joint, Prior

# Cell texts and the numbers that stand for them. Plus grades: Medical Research Council (1976), Memorandum no. 45;
# a third of a grade is the usual number for a plus or a minus, and the model uses the order alone.
CODINGS: dict[str, dict[str, float]] = {
    "mrc": {str(grade): float(grade) for grade in range(6)},
    "mrc_plus": {"0": 0.0, "1": 1.0, "2": 2.0, "3": 3.0, "4-": 3.67, "4": 4.0, "4+": 4.33, "5": 5.0},
    "mrc_10": {str(grade): float(grade) for grade in range(11)},
}


@dataclass(frozen=True, kw_only=True)
class Cumulative(Family):
    """P(Y <= k) = F(threshold_k - eta), F logistic or normal: a higher eta is a higher grade; eta is 0 at the start.

    coding: how grades are written: "mrc" (0 to 5), "mrc_plus" (0, 1, 2, 3, 4-, 4, 4+, 5) or "mrc_10" (0 to 10); or
    levels: the cell texts of another grading, lowest first
    scores: numbers that stand for the levels in tables and means, increasing; the levels themselves if they are numbers
    merge: groups of neighbouring levels that count as one category, scored with the mean of theirs
    shares: plausible shares of the categories (after merging) at the start; equal if not given
    link: "logit" or "probit"
    threshold_1, ...: unequal cutpoints on the latent scale. Default prior: induced Dirichlet, one concentration for
        each category, on average 1, in proportion to `shares`.
    The declared `scale` is an SD between patients on the latent scale (the residual's is 1.81 with logit, 1 with
    probit).
    Reference: McCullagh (1980), https://doi.org/10.1111/j.2517-6161.1980.tb01109.x.
    """

    kind: Literal["cumulative"] = "cumulative"
    also: ClassVar[tuple[str, ...]] = ("ordinal",)
    coding: Literal["mrc", "mrc_plus", "mrc_10"] | None = None
    levels: tuple[str, ...] | None = None
    scores: tuple[float, ...] | None = None
    merge: tuple[tuple[str, ...], ...] = ()
    shares: tuple[float, ...] | None = None
    link_: Link = field(default="logit", metadata={"key": "link"})
    anchored: ClassVar[bool] = True
    informative: ClassVar[bool] = False

    @property
    def link_name(self) -> str:  # type: ignore[override]
        return self.link_

    @property
    def formula(self) -> str:  # type: ignore[override]
        return f"P(y <= k) = {'expit' if self.link_ == 'logit' else 'Phi'}(threshold_k - eta)"

    @property
    def r_formula(self) -> str:  # type: ignore[override]
        return f'cumulative("{self.link_}")'

    @property
    def categories(self) -> tuple[tuple[str, ...], ...]:
        """The levels of each category, lowest first."""
        group = {level: together for together in self.merge for level in together}
        return tuple(dict.fromkeys(group.get(level, (level,)) for level in self._levels))

    def texts(self) -> Mapping[str, float]:
        single = dict(zip(self._levels, self._level_scores, strict=True))
        means = {together: float(np.mean([single[level] for level in together])) for together in self.categories}
        return {level: score for together, score in means.items() for level in together}

    def link(self, values: Any) -> Any:
        return np.zeros_like(np.asarray(values, dtype=float))

    def encode(self, values: Any) -> Any:
        return np.abs(np.asarray(values, dtype=float)[..., None] - self._scores).argmin(axis=-1)

    def parameters(self, scale: Scale) -> dict[str, Prior | Joint]:
        count = len(self.categories)
        concentrations = tuple(count * share for share in self.shares) if self.shares else (1.0,) * count
        return {"thresholds": InducedDirichlet(concentrations, self.link_)}

    def joint(self, name: str, text: str) -> Joint | None:
        return parse_joint(text, len(self.categories), self.link_) if name == "thresholds" else None

    def observe(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], cells: Cells) -> Any:
        pt, location, last = pm.math.pt, eta["location"], len(self.categories) - 1
        thresholds = [aux[f"threshold_{k}"] for k in range(1, last + 1)]

        def chosen(
            position: Any,
        ) -> Any:  # a sum, not an index: compiled with constant data an index becomes a scalar for each cell
            return sum(pt.eq(position, k) * t for k, t in enumerate(thresholds))

        lowest, highest = pt.eq(cells.value, 0), pt.eq(cells.value, last)
        upper = chosen(pt.minimum(cells.value, last - 1)) - location
        lower = chosen(pt.maximum(cells.value - 1, 0)) - location
        ends = lowest | highest
        a, b = pt.switch(ends, -1.0, lower), pt.switch(ends, 1.0, upper)  # an end has no width
        tail, between = (log_sigmoid, log_logistic_between) if self.link_ == "logit" else (log_ndtr, log_normal_between)
        beyond = tail(pm, pt.switch(lowest, upper, -lower))
        return pm.Potential(name, pt.switch(ends, beyond, between(pm, a, b)).sum())

    def draw(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        """The category between whose thresholds a latent variable falls."""
        location, thresholds = np.asarray(eta["location"], dtype=float), self._thresholds(aux)
        shape = np.broadcast_shapes(location.shape, *(np.shape(t) for t in thresholds))
        noise = rng.logistic(size=shape) if self.link_ == "logit" else rng.standard_normal(shape)
        passed = sum((location + noise > t).astype(np.int64) for t in thresholds)
        return self._scores[passed]

    def log_density(self, cells: Cells, eta: Arrays, aux: Arrays) -> np.ndarray:
        chances = self._log_probabilities(eta, aux)
        return np.select([np.equal(cells.value, k) for k in range(len(chances))], chances, np.nan)

    def ends(self) -> tuple[float | None, float | None]:
        scores = self.texts().values()
        return min(scores), max(scores)

    def r_call(self, y: str, predictor: str = "location") -> Call | None:
        return Call("ordinal::clmm", "ordinal::clm", y, (f'link = "{self.link_}"',))

    def mean(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        chances = self._log_probabilities(eta, aux)
        return np.asarray(sum(score * np.exp(c) for score, c in zip(self._scores, chances, strict=True)))

    def check(self, values: Any) -> np.ndarray:
        return np.isclose(np.asarray(values, dtype=float)[..., None], self._scores).any(axis=-1)

    def support(self) -> str:
        return "one of " + ", ".join(self._levels)

    def check_expected(self, values: Any) -> np.ndarray:
        return np.isfinite(values)

    def remark(self) -> str:
        scores = self.texts()
        graded = [f"{' + '.join(levels)} ({scores[levels[0]]:.3g})" for levels in self.categories]
        numbers = f"Categories, with the numbers that stand for them: {', '.join(graded)}"
        return f"{numbers}; threshold_1 is between the first two."

    def faults(self) -> tuple[tuple[str, str], ...]:
        if (self.coding is None) == (self.levels is None):
            return (("coding", 'state the coding ("mrc", "mrc_plus", "mrc_10") or the levels, one of the two'),)
        levels = self._levels
        if len(levels) < 2 or len(set(levels)) < len(levels):
            return (("levels", "there are at least two levels, each once"),)
        if self.levels and self.scores is None and not all(map(_is_number, levels)):
            return (("scores", "the levels are not all numbers: state a number for each level"),)
        scores = self._level_scores
        if len(scores) != len(levels) or any(a >= b for a, b in pairwise(scores)):
            return (("scores", "there is one number for each level, and each is larger than the one before"),)
        merged = [level for together in self.merge for level in together]
        neighbours = {levels[i : i + n] for n in range(2, len(levels)) for i in range(len(levels) - n + 1)}
        if not set(self.merge) <= neighbours or len(set(merged)) < len(merged):
            return (("merge", "each group has at least two neighbouring levels in order, none in two groups, not all"),)
        count, shares = len(self.categories), self.shares
        if shares and (len(shares) != count or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6):
            return (("shares", f"there are {count} positive shares, one for each category, that sum to 1"),)
        return ()

    @property
    def _levels(self) -> tuple[str, ...]:
        return tuple(CODINGS[self.coding]) if self.coding else self.levels or ()

    @property
    def _level_scores(self) -> tuple[float, ...]:
        if self.scores is not None:
            return self.scores
        return tuple(CODINGS[self.coding].values()) if self.coding else tuple(float(level) for level in self._levels)

    @property
    def _scores(self) -> np.ndarray:
        """The score of each category."""
        return np.unique(list(self.texts().values()))

    @staticmethod
    def _thresholds(aux: Arrays) -> list[np.ndarray]:
        count = sum(name.startswith("threshold_") for name in aux)
        return [np.asarray(aux[f"threshold_{k}"], dtype=float) for k in range(1, count + 1)]

    def _log_probabilities(self, eta: Arrays, aux: Arrays) -> list[np.ndarray]:
        """log(F(b) - F(a)) of each category; the difference is taken on the side where both are small."""
        log_cdf = special.log_expit if self.link_ == "logit" else special.log_ndtr
        cuts = [t - np.asarray(eta["location"], dtype=float) for t in self._thresholds(aux)]
        chances = [log_cdf(cuts[0])]
        for a, b in pairwise(cuts):
            larger, smaller = np.where(a + b > 0, (log_cdf(-a), log_cdf(-b)), (log_cdf(b), log_cdf(a)))
            with np.errstate(divide="ignore"):  # equal thresholds leave no room
                chances.append(larger + np.log(-np.expm1(smaller - larger)))
        return [*chances, log_cdf(-cuts[-1])]


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
