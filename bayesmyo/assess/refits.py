"""A fit's model, sampled again without a patient or under other priors, compiled once for all of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bayesmyo.assess.diagnostics import diagnose
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.inference.compiled import Compiled
from bayesmyo.inference.engines import ENGINES, Sampling
from bayesmyo.inference.fit import Fit, posterior_truth
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import Truth
from bayesmyo.seeds import PREDICT, SAMPLE, address
from bayesmyo.study.predictors import effects

ROUGH = 1.05  # R-hat above which a short refit is not believed
SHORT = Sampling(draws=400, tune=250, chains=2)
AFFORDABLE = 1000  # measurements and patients' effects: two short refits take about two minutes on two cores


@dataclass(frozen=True, eq=False)
class Refitted:
    """The truths (chain, draw) and the estimands of a refit; rhat: the worst over estimands; divergences: how many."""

    truth: Truth
    estimands: Mapping[str, np.ndarray]
    rhat: float
    divergences: int


def affordable(fit: Fit) -> bool:
    """Whether sampling again is worth it unasked: by size, not by the clock, so that every machine judges alike."""
    size = sum(len(m) + len(fit.cohort) * len(effects(fit.study, o)) for o, m in fit.cohort.measurements.items())
    return ENGINES[fit.engine].posterior and size <= AFFORDABLE


class Refits:
    """Refits of one fit. Raises StorageError for a fit without patient data, and what an engine raises.

    compiled: of an earlier fit of the same study, to compile nothing; its sampling then holds
    progress: called with refits under other priors done, and in all
    cohort: that of the fit with censored cells first, so that they stay where they are when a patient without any is
        left out
    """

    def __init__(
        self,
        fit: Fit,
        sampling: Sampling = SHORT,
        compiled: Compiled | None = None,
        progress: Callable[[int, int], None] | None = None,
    ):
        self.fit, self._progress = fit, progress
        order = {name: np.argsort(m.side == 0, kind="stable") for name, m in fit.cohort.measurements.items()}
        measured = {name: m.take(order[name]) for name, m in fit.cohort.measurements.items()}
        self.cohort: Cohort = replace(fit.cohort, measurements=measured)
        self._sampling, self._given = sampling, compiled

    @cached_property
    def _compiled(self) -> Compiled:
        """The one model, built where it is first needed."""
        return self._given or Compiled(self.fit.study, self.fit.engine, self._sampling, self.cohort)

    def shares(self, *patients: int) -> bool:
        """Whether the one compiled model also serves without these patients."""
        return self._compiled.takes(self.cohort.without(*patients))

    def without(self, *patients: int) -> Refitted:
        """Of the others' measurements alone. Raises UsageError where they have none of an outcome."""
        others = self._run(self.cohort.without(*patients), replicate=1 + patients[0])
        return replace(others, estimands=estimands(self.fit, others.truth.without(*patients), patients))

    def with_spreads(self, *spreads: float) -> list[Refitted]:
        """With the spread of every top-level prior multiplied by each factor."""
        again = []
        for done, spread in enumerate(spreads):
            if self._progress:
                self._progress(done, len(spreads))
            again.append(self._run(self.cohort, spread=spread))
        return again

    def _run(self, cohort: Cohort, replicate: int = 0, spread: float = 1.0) -> Refitted:
        draws = self._compiled.draws(cohort, address(self.fit.seed, SAMPLE, cell=1, replicate=replicate), spread)
        truth = posterior_truth(self.fit.study, cohort, draws.posterior)
        said = estimands(self.fit, truth)
        rhats = [d.rhat for d in diagnose(said).values() if np.isfinite(d.rhat)]
        return Refitted(truth, said, max(rhats, default=float("nan")), int(np.sum(draws.stats.get("diverging", 0))))


def estimands(fit: Fit, truth: Truth, without: Sequence[int] = ()) -> dict[str, np.ndarray]:
    """Every estimand of a fit's study under other truths, with the same new patients.

    without: patients of the cohort who are not among those of the truths
    """
    events = {name: e.without(*without) for name, e in fit.cohort.events.items()}
    prediction = TruthPrediction(fit.study, truth, address(fit.seed, PREDICT), events=events)
    return {name: e.of(prediction) for name, e in fit.study.estimands.items()}
