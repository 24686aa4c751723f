"""A study's model for one cohort after another: compiled when first needed, and again only where data ask for another
one.
"""

import numpy as np

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.inference.build import BuiltModel, build
from bayesmyo.inference.effects import Parameterisation
from bayesmyo.inference.engines import ENGINES, Draws, Prepared, Progress, Sampling
from bayesmyo.model.data import PRIOR_SPREAD, arrays
from bayesmyo.study.study import Study


class Compiled:
    """Draws for cohorts of one study, of as many patients each, without compiling for each.

    engine: by name; sampling: of every cohort; cohort: the one whose model is stated first (default: the first drawn
        for)
    `draws` raises what an engine raises.
    """

    def __init__(self, study: Study, engine: str, sampling: Sampling, cohort: Cohort | None = None):
        self.study = study
        self.engine = engine
        self.sampling = sampling
        self._model: BuiltModel | None = build(study, cohort) if cohort else None
        self._prepared: Prepared | None = None

    @property
    def how(self) -> dict[str, Parameterisation]:
        """The parameterisation of each outcome in the model at hand."""
        assert self._model is not None
        return self._model.how

    def draws(
        self,
        cohort: Cohort,
        seed: int,
        spread: float = 1.0,
        progress: Progress | None = None,
        sampling: Sampling | None = None,
    ) -> Draws:
        """Draws from the posterior of a cohort, with the spread of every top-level prior multiplied by a factor.

        sampling: for this cohort, in place of that of every cohort
        """
        if self._model is None or not self.takes(cohort):
            how = None if self._model is None else self._model.how  # data to come do not change what is drawn
            self._model, self._prepared = build(self.study, cohort, how), None
        if self._prepared is None:
            self._prepared = ENGINES[self.engine].prepare(self._model)
        data = arrays(self.study, cohort) | {PRIOR_SPREAD: np.array(spread)}
        return self._prepared.sample([data], [seed], sampling or self.sampling, progress)[0]

    def takes(self, cohort: Cohort) -> bool:
        """Whether the model at hand can be handed this cohort."""
        if self._model is None or len(self._model.patients) != len(cohort):
            return False
        ours, theirs = self._model.facts(self._model.data), self._model.facts(arrays(self.study, cohort))
        return ours.keys() == theirs.keys() and all(np.array_equal(ours[k], theirs[k]) for k in ours)
