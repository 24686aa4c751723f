"""The contract of everything that has a likelihood."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.model.normal import Piece, Whiten, whiten
from bayesmyo.model.truth import Truth
from bayesmyo.study.predictors import Effect, Predictor, effects, predictors
from bayesmyo.study.study import Study

Array = np.ndarray
Arrays = dict[str, Array]
Etas = dict[str, Any]  # linear predictors, by name
Values = Mapping[str, Mapping[str, Any]]  # parameters, by submodel and name


@dataclass(frozen=True, eq=False)
class Rows:
    """The data of a submodel inside a model: NumPy arrays, or PyTensor variables in their place.

    data: by field, without the submodel's name; columns: design columns at its rows; patients: how many there are
    whiten: what makes correlated residuals uncorrelated
    """

    data: Mapping[str, Any]
    columns: Mapping[str, Any]
    patients: int
    whiten: Whiten = whiten


class Submodel(ABC):
    """What is measured or seen of patients, and how likely it is, given the population's parameters and the patients'
    effects.

    A submodel knows its data, its parameters and the effects that it uses; it does not know how effects are sampled.
    Building a PyMC model, drawing effects back, scoring and storing loop over the submodels of a `Spec`,
    and know none by its class.
    """

    study: Study
    name: str

    @property
    def predictors(self) -> tuple[Predictor, ...]:
        """Its linear predictors, the location first."""
        return predictors(self.study, self.name)

    @property
    def effects(self) -> tuple[Effect, ...]:
        """The effects that are its own: coefficients in which patients differ."""
        return effects(self.study, self.name)

    @property
    def uses(self) -> tuple[str, ...]:
        """Other submodels at whose effects its likelihood looks: they cannot be integrated out alone."""
        return ()

    # --- data

    @abstractmethod
    def arrays(self, cohort: Cohort) -> Arrays:
        """Its data as a compiled model is handed them, by full name. Raises UsageError for what the cohort lacks."""

    @abstractmethod
    def validated(self, data: Mapping[str, Array], patients: int) -> Arrays:
        """The same arrays, contiguous and of the right dtype. Raises UsageError for anything that compiled code would
        misread.
        """

    @abstractmethod
    def facts(self, data: Mapping[str, Array], how: str) -> Arrays:
        """What a compiled model takes for granted of these data; another dataset must agree. how: its effects are
        sampled
        """

    # --- given parameters and effects, in NumPy

    @abstractmethod
    def log_density(self, truth: Truth, cohort: Cohort) -> Array:
        """(..., row) log density or probability of each row in the outcome's unit, given the patients' own effects."""

    # --- inside a PyMC model, and on the way back from its draws

    @abstractmethod
    def observe(
        self, pm: Any, rows: Rows, values: Values, own: Mapping[str, Mapping[str, Any]], how: str, xp: Any
    ) -> None:
        """State its likelihood, or what is left of it where its effects are integrated out (`piece`), in the open
        model.

        values: parameters; own: effect key -> (patient,) deviations, of integrated effects what the sampled ones say
            of them, but of those it `uses` the whole; both by submodel
        """

    def piece(
        self,
        rows: Rows,
        true: Any,
        values: Mapping[str, Any],
        own: Mapping[str, Any],
        group: Sequence[Effect],
        factor: Mapping[Effect, Mapping[Effect, Any]],
        xp: Any,
    ) -> Piece:
        """What of it is normal in the effects of `group`, so that they can be integrated out.

        true: measurements, those of censored cells as they are sampled; factor: each effect's row of the Cholesky
            factor
        Raises NotImplementedError where nothing is.
        """
        raise NotImplementedError(f"{type(self).__name__} is not normal in its effects")

    def informed(
        self,
        rows: Rows,
        predictor: Predictor,
        values: Mapping[str, Any],
        t: Sequence[Any],
        block: Sequence[Effect],
        lower: Sequence[Sequence[Any]],
        before: Sequence[Any],
        xp: Any,
    ) -> tuple[dict[Effect, Any], Any]:
        """Standardised effects (..., patient) around what the rows say of them, from what was sampled, and log |dz /
        dt|.

        predictor: one of its own; t: what was sampled of each of its effects; block, lower: effects, and the Cholesky
            factor of their correlations; before: the first of
        them, of other submodels. Raises NotImplementedError where its rows are not approximated.
        """
        raise NotImplementedError(f"{type(self).__name__} has no approximation")

    def prefixed(self, fields: Mapping[str, Array]) -> Arrays:
        """Fields by full name."""
        return {f"{self.name}.{field}": values for field, values in fields.items()}

    def fields(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Its own data among all, without its name."""
        prefix = f"{self.name}."
        return {k.removeprefix(prefix): v for k, v in data.items() if k.startswith(prefix)}


__all__ = ["Array", "Arrays", "Etas", "Rows", "Submodel", "Values"]
