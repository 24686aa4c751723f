"""A look ahead, at an interim look: the study completed from its posterior again and again, and what each decision is
then.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.inference.compiled import Compiled
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import posterior_truth
from bayesmyo.model.completed import completed
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.simulate import Simulated
from bayesmyo.model.truth import Truth
from bayesmyo.seeds import AHEAD, PREDICT, SAMPLE, SIMULATE, address
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.power.predictive import Count, Predictive
from bayesmyo.simulation.row import Quantity


@dataclass(frozen=True, eq=False)
class Ahead:
    """Looks ahead in the replicates of one cell.

    model: what analyses a number of patients; sampling: how each completed cohort is fitted; seed, place: where seeds
    are addressed
    """

    cell: Cell
    rule: Predictive
    model: Callable[[int], Compiled]
    sampling: Sampling
    seed: int
    place: int

    def predicted(
        self, s: Simulated, replicate: int, look: int, clock: np.ndarray, posterior: Truth, decisions: Collection[str]
    ) -> Iterator[Quantity]:
        """What each of these decisions is expected to be at the end, as a row says it.

        clock: (entered,) the look on the clocks of the patients who have entered; posterior: with their effects
        """
        counts = {name: Count(self.rule) for name in decisions}
        study = replace(self.cell.analysis, design=self.cell.study.design)
        seed = self._address(replicate, look)
        order = np.random.default_rng(seed).permutation(int(np.prod(posterior.shape)))
        for k in range(self.rule.cohorts):
            unknown = [name for name, count in counts.items() if not count.known]
            if not unknown:
                break
            rng = np.random.default_rng(self._address(replicate, look, k, SIMULATE))
            cohort = completed(study, s, clock, posterior.take(order[k % len(order)]), rng)
            for name, met in self._met(cohort, unknown, replicate, look, k).items():
                counts[name].add(met)
        for name, c in counts.items():
            yield Quantity("predictive", name, look, probability=c.probability, met=c.goes_on, ess=float(c.of))

    def _met(self, cohort: Cohort, decisions: Collection[str], replicate: int, look: int, k: int) -> dict[str, bool]:
        """Whether a completed cohort meets each of some decisions."""
        study = self.cell.analysis
        drawn = self.model(len(cohort)).draws(cohort, self._address(replicate, look, k, SAMPLE), sampling=self.sampling)
        posterior = posterior_truth(study, cohort, drawn.posterior)
        seed = self._address(replicate, look, k, PREDICT)
        prediction = TruthPrediction(study, posterior, seed, events=cohort.events)
        asked = {name: study.decisions[name] for name in decisions}
        answers = {e: study.estimands[e].of(prediction) for e in {d.estimand: None for d in asked.values()}}
        return {name: bool(d.judge(answers[d.estimand]).met) for name, d in asked.items()}

    def _address(self, replicate: int, look: int, *further: int) -> int:
        return address(self.seed, AHEAD, self.place, replicate, look, *further)


__all__ = ["Ahead"]
