"""The one loop of every simulation study: truth -> cohort -> fit -> row.

Seeds are addressed by (cell, replicate, role), so any row can be made again alone. A failure is a row with its
stage and its reason: it is never dropped.
"""

from dataclasses import dataclass, field

import numpy as np

from bayesmyo.assess.diagnostics import diagnose
from bayesmyo.cohort.prediction import TruthPrediction
from bayesmyo.cohort.simulate import Simulated, simulate
from bayesmyo.cohort.truth import Truth, from_priors
from bayesmyo.errors import BayesmyoError
from bayesmyo.model.compiled import Compiled
from bayesmyo.model.engines import Sampling
from bayesmyo.model.fit import Fit, wrap
from bayesmyo.seeds import PREDICT, SAMPLE, SIMULATE, address
from bayesmyo.simulation.ranks import ranks
from bayesmyo.study.parameters import all_parameters
from bayesmyo.study.study import Study


@dataclass(frozen=True)
class Interval:
    """One quantity in one replicate: its true value, and what the fit says of it, equal-tailed with the study's mass."""

    truth: float
    median: float
    lower: float
    upper: float

    @property
    def covers(self) -> bool:
        return self.lower <= self.truth <= self.upper


@dataclass(frozen=True)
class Row:
    """One replicate. stage: "done", or where it failed ("simulate", "fit"), with the reason.

    rhat, ess: the worst over parameters and estimands; divergences: of all draws
    intervals: of every estimand; parameters: of every parameter, on the link scale, by full name
    ranks: quantity -> where its true value lies among the draws, in (0, 1); uniform over replicates if the truth comes from the priors
    """

    cell: int
    replicate: int
    stage: str
    reason: str = ""
    rhat: float = float("nan")
    ess: float = float("nan")
    divergences: int = 0
    intervals: dict[str, Interval] = field(default_factory=dict)
    parameters: dict[str, Interval] = field(default_factory=dict)
    ranks: dict[str, float] = field(default_factory=dict)


class Replicator:
    """Replicates of one cell: a study, a truth, a number of patients.

    truth: None draws one from the priors for every replicate; each row then also has ranks, for simulation-based calibration
    The model is compiled once, and again only for data that it cannot take (see `BuiltModel.facts`).
    """

    def __init__(
        self, study: Study, truth: Truth | None, *, seed: int, cell: int = 0, patients: int | None = None,
        engine: str = "nuts", sampling: Sampling | None = None,
    ):  # fmt: skip
        self.study, self.truth, self.seed, self.cell, self.patients = study, truth, seed, cell, patients
        self.engine, self.sampling = engine, sampling or Sampling(chains=2)
        self.compiled = Compiled(study, engine, self.sampling)

    def run(self, replicate: int) -> Row:
        """One replicate, whatever happened before."""
        try:
            simulated = self.simulate(replicate)
        except BayesmyoError as error:
            return Row(self.cell, replicate, "simulate", str(error))
        try:
            fit = self.fit(simulated, replicate)
        except BayesmyoError as error:
            return Row(self.cell, replicate, "fit", str(error))
        return self._row(simulated, fit, replicate)

    def simulate(self, replicate: int) -> Simulated:
        """The cohort of a replicate."""
        rng = np.random.default_rng(address(self.seed, SIMULATE, self.cell, replicate))
        truth = from_priors(self.study, rng) if self.truth is None else self.truth
        return simulate(self.study, truth, rng, self.patients)

    def fit(self, simulated: Simulated, replicate: int) -> Fit:
        """The fit of a replicate's cohort, with the compiled model of the cell."""
        seed = address(self.seed, SAMPLE, self.cell, replicate)
        draws = self.compiled.draws(simulated.cohort, seed)
        return wrap(
            self.study, simulated.cohort, draws, engine=self.engine, seed=seed, sampling=self.sampling, how=self.compiled.how
        )  # fmt: skip

    def _row(self, simulated: Simulated, fit: Fit, replicate: int) -> Row:
        new_patient = address(
            self.seed, PREDICT, self.cell, replicate
        )  # the truth of a prediction is a patient to come
        prediction, true = fit.prediction, TruthPrediction(self.study, simulated.truth, new_patient)
        draws = {name: e.of(prediction) for name, e in self.study.estimands.items()}
        tail = (1 - self.study.interval) / 2

        def interval(truth: np.ndarray, drawn: np.ndarray) -> Interval:
            lower, median, upper = (float(q) for q in np.quantile(drawn, [tail, 0.5, 1 - tail]))
            return Interval(float(truth), median, lower, upper)

        intervals = {name: interval(e.of(true), draws[name]) for name, e in self.study.estimands.items()}
        own = {
            p.full_name: interval(simulated.truth.value(p.outcome, p.name), fit.truth.value(p.outcome, p.name))
            for p in all_parameters(self.study)
        }
        posterior = fit.group("posterior").data_vars
        parameters = {str(k): v.values for k, v in posterior.items() if v.ndim == 2}
        found = list(diagnose({**parameters, **draws}).values())
        stats = fit.group("sample_stats").data_vars
        return Row(
            self.cell, replicate, "done",
            rhat=float(np.nanmax([d.rhat for d in found])), ess=float(np.nanmin([min(d.ess_bulk, d.ess_tail) for d in found])),
            divergences=int(stats["diverging"].sum()), intervals=intervals, parameters=own,
            ranks=ranks(self.study, fit, simulated, seed=address(self.seed, PREDICT, self.cell, replicate)) if self.truth is None else {},
        )  # fmt: skip
