"""Zeros apart from the counts: a part of the measurements that is zero whatever the rate, or a hurdle before the counts
begin.

A family of counts says its own distribution f (`log_counts` in PyTensor, `log_mass`, `draw_counts` and `mean_count` in
NumPy, apart), and becomes with a predictor `zero_inflation`, pi = expit(eta_zero_inflation),

    P(y = 0) = pi + (1 - pi) f(0),   P(y = k) = (1 - pi) f(k)

and with a predictor `zero`, pi = expit(eta_zero),

    P(y = 0) = pi,   P(y = k) = (1 - pi) f(k) / (1 - f(0)).

In the first a zero may be either; in the second who has crossed the hurdle has one event at least, and the location is
that of f before it is cut. References: Lambert (1992), https://doi.org/10.2307/1269547; Mullahy (1986),
https://doi.org/10.1016/0304-4076(86)90002-3.
"""

from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from scipy import special

from bayesmyo.components.families.family import Arrays, Cells, Family
from bayesmyo.components.families.tails import log1mexp, log_sigmoid
from bayesmyo.components.in_r import Call

INFLATION, HURDLE = "zero_inflation", "zero"
NEARLY = -1e-12  # log f(0) above which nothing is left beyond the hurdle but a single event


class ExtraZeros(Family):
    """A family of counts whose zeros may have a part of their own."""

    links: ClassVar[Mapping[str, str]] = {INFLATION: "logit", HURDLE: "logit"}
    more_zeros: ClassVar[str] = INFLATION
    fewer_zeros: ClassVar[str] = HURDLE
    r_truncated: ClassVar[str] = (
        ""  # the family of glmmTMB of counts above zero; empty where R has no hurdle before this one
    )
    r_parts: ClassVar[Mapping[str, str]] = {INFLATION: "zi", HURDLE: "hu"}

    @abstractmethod
    def log_counts(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], value: Any) -> Any:
        """log f of counts, inside the open PyMC model, one by one."""

    @abstractmethod
    def log_mass(self, value: Any, eta: Arrays, aux: Arrays) -> np.ndarray:
        """log f of counts in NumPy."""

    @abstractmethod
    def draw_counts(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        """Draws from f."""

    @abstractmethod
    def draw_positive(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        """Draws from f given that they are not zero."""

    @abstractmethod
    def mean_count(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        """The mean of f."""

    def r_part(self, predictor: str, call: Call) -> Call | None:
        """The call of glmmTMB for a part beside the location. call: that of the location"""
        if predictor == HURDLE and self.r_truncated:
            call = replace(call, arguments=(f"family = {self.r_truncated}",))
        elif predictor != INFLATION:
            return None
        return replace(call, inside="ziformula = ~ {}")

    def r_family(self, parts: Collection[str]) -> str:
        if HURDLE in parts:
            return f"hurdle_{self.r_formula}" if self.r_truncated else ""
        return f"zero_inflated_{self.r_formula}" if INFLATION in parts else self.r_formula

    def written(self, parts: Collection[str]) -> str:
        if INFLATION in parts:
            return f"y = 0 with probability expit(eta_{INFLATION}); otherwise {self.formula}"
        if HURDLE in parts:
            return f"P(y = 0) = expit(eta_{HURDLE}); otherwise {self.formula}, given that y > 0"
        return self.formula

    def together(self, parts: Collection[str]) -> tuple[tuple[str, str], ...]:
        if INFLATION in parts and HURDLE in parts:
            return ((HURDLE, f"zeros have one part of their own: {HURDLE}, or {INFLATION}"),)
        return ()

    def observe(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], cells: Cells) -> Any:
        pt, y = pm.math.pt, cells.value
        counts = self.log_counts(pm, name, eta, aux, y)
        if INFLATION in eta:
            none, some = (log_sigmoid(pm, sign * eta[INFLATION]) for sign in (1.0, -1.0))
            counts = pt.switch(pt.eq(y, 0), pt.logaddexp(none, some + counts), some + counts)
        elif HURDLE in eta:
            none, some = (log_sigmoid(pm, sign * eta[HURDLE]) for sign in (1.0, -1.0))
            at_zero = pt.minimum(self.log_counts(pm, name, eta, aux, pt.zeros_like(y)), NEARLY)
            counts = pt.switch(pt.eq(y, 0), none, some + counts - log1mexp(pm, at_zero))
        return pm.Potential(name, counts.sum())

    def draw(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        if HURDLE in eta:
            positive = self.draw_positive(rng, eta, aux)
            return np.where(rng.random(positive.shape) < special.expit(eta[HURDLE]), 0.0, positive)
        counts = self.draw_counts(rng, eta, aux)
        if INFLATION in eta:
            return np.where(rng.random(counts.shape) < special.expit(eta[INFLATION]), 0.0, counts)
        return counts

    def log_density(self, cells: Cells, eta: Arrays, aux: Arrays) -> np.ndarray:
        y = np.asarray(cells.value)
        counts = self.log_mass(y, eta, aux)
        if INFLATION in eta:
            none, some = special.log_expit(eta[INFLATION]), special.log_expit(-np.asarray(eta[INFLATION]))
            return np.where(y == 0, np.logaddexp(none, some + counts), some + counts)
        if HURDLE in eta:
            none, some = special.log_expit(eta[HURDLE]), special.log_expit(-np.asarray(eta[HURDLE]))
            at_zero = np.minimum(self.log_mass(np.zeros_like(y), eta, aux), NEARLY)
            return np.where(y == 0, none, some + counts - np.log(-np.expm1(at_zero)))
        return counts

    def mean(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        mean = self.mean_count(eta, aux)
        if INFLATION in eta:
            return np.asarray(special.expit(-np.asarray(eta[INFLATION])) * mean)
        if HURDLE in eta:
            at_zero = np.minimum(self.log_mass(np.zeros(1), eta, aux), NEARLY)
            return np.asarray(special.expit(-np.asarray(eta[HURDLE])) * mean / -np.expm1(at_zero))
        return mean
