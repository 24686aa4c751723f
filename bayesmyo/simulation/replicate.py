"""The one loop of every simulation study: truth -> cohort -> fit -> row.

Seeds are addressed by (cell, replicate, role), so any row can be made again alone. A failure is a row with its
stage and its reason: it is never dropped.
"""

from dataclasses import dataclass, field

import numpy as np

from bayesmyo.assess.diagnostics import diagnose
from bayesmyo.cohort.prediction import TruthPrediction
from bayesmyo.cohort.simulate import Simulated, simulate
from bayesmyo.cohort.truth import Truth
from bayesmyo.errors import BayesmyoError
from bayesmyo.model.build import build
from bayesmyo.model.data import arrays
from bayesmyo.model.engines import ENGINES, Prepared, Sampling
from bayesmyo.model.fit import Fit, wrap
from bayesmyo.seeds import PREDICT, SAMPLE, SIMULATE, address
from bayesmyo.study.study import Study


@dataclass(frozen=True)
class Interval:
    """One estimand in one replicate: its true value, and what the fit says of it."""

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
    """

    cell: int
    replicate: int
    stage: str
    reason: str = ""
    rhat: float = float("nan")
    ess: float = float("nan")
    divergences: int = 0
    intervals: dict[str, Interval] = field(default_factory=dict)


class Replicator:
    """Replicates of one cell: a study, a truth, a number of patients. The model is compiled once, at the first replicate."""

    def __init__(
        self, study: Study, truth: Truth, *, seed: int, cell: int = 0, patients: int | None = None,
        engine: str = "nuts", sampling: Sampling | None = None,
    ):  # fmt: skip
        self.study, self.truth, self.seed, self.cell, self.patients = study, truth, seed, cell, patients
        self.engine, self.sampling = engine, sampling or Sampling(chains=2)
        self._prepared: Prepared | None = None
        self._how: dict[str, str] = {}

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
        return simulate(self.study, self.truth, rng, self.patients)

    def fit(self, simulated: Simulated, replicate: int) -> Fit:
        """The fit of a replicate's cohort, with the compiled model of the cell."""
        if self._prepared is None:
            model = build(self.study, simulated.cohort)
            self._prepared, self._how = ENGINES[self.engine].prepare(model), dict(model.how)
        seed = address(self.seed, SAMPLE, self.cell, replicate)
        draws = self._prepared.sample([arrays(self.study, simulated.cohort)], [seed], self.sampling)[0]
        return wrap(
            self.study, simulated.cohort, draws, engine=self.engine, seed=seed, sampling=self.sampling, how=self._how
        )

    def _row(self, simulated: Simulated, fit: Fit, replicate: int) -> Row:
        new_patient = address(
            self.seed, PREDICT, self.cell, replicate
        )  # the truth of a prediction is a patient to come
        prediction, true = fit.prediction, TruthPrediction(self.study, simulated.truth, new_patient)
        draws = {name: e.of(prediction) for name, e in self.study.estimands.items()}
        tail = (1 - self.study.interval) / 2
        intervals = {}
        for name, e in self.study.estimands.items():
            lower, median, upper = (float(q) for q in np.quantile(draws[name], [tail, 0.5, 1 - tail]))
            intervals[name] = Interval(float(e.of(true)), median, lower, upper)
        posterior = fit.group("posterior").data_vars
        parameters = {str(k): v.values for k, v in posterior.items() if v.ndim == 2}
        found = list(diagnose({**parameters, **draws}).values())
        stats = fit.group("sample_stats").data_vars
        return Row(
            self.cell, replicate, "done",
            rhat=float(np.nanmax([d.rhat for d in found])), ess=float(np.nanmin([min(d.ess_bulk, d.ess_tail) for d in found])),
            divergences=int(stats["diverging"].sum()), intervals=intervals,
        )  # fmt: skip
