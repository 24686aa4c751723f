"""The contract of a family."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayesmyo.components.component import Component, Scale
from bayesmyo.components.families.link import LINKS, Link
from bayesmyo.components.in_r import Call
from bayesmyo.components.priors import Joint, Prior

Arrays = Mapping[str, Any]
ZERO = "zero"  # the predictor of zeros that stand apart
Pooled = Callable[[Any], Any]  # (n,) of cells -> (n,) sums over all cells of the same patient
KNOWN_ERROR = "known_error"
# what measurements look like: they scatter in proportion to their level, or do and may be zero; lie between two ends;
# or a few lie far off
POSITIVE, WITH_ZEROS, BETWEEN_ENDS, FAR_OFF = "positive", "positive or zero", "between two ends", "a few far off"


@dataclass(frozen=True)
class Cells:
    """Measured cells of one outcome, encoded as the family's likelihood wants them (`Family.encode`).

    Attributes
    ----------
    value : ndarray of shape (n,)
        The measurement; for a censored cell a limit that was reported.
    low, high : ndarray of shape (n,), or None
        The truth lies between them: both the value where measured, -inf to the limit where left-censored, the limit to
        +inf where right-censored, two limits where interval-censored; None where the study declares no censoring.
    """

    value: Any
    low: Any = None
    high: Any = None


def scored(y: Any, trials: int, curve: Any, pooled: Pooled, xp: Any) -> tuple[Any, Any]:
    """Points out of so many as normal measurements on the logit: value and precision of one step of Fisher's scoring
    from the patient's own share, half a point added at either end, at the patient's average visit.

    A patient may have all or none: the own share keeps the step from where the curve is far off.
    """
    visits, points = pooled(1.0 + 0.0 * curve), pooled(y + 0.0 * curve)
    start = curve - pooled(curve) / visits + xp.log(points + 0.5) - xp.log(trials * visits - points + 0.5)
    share = 1 / (1 + xp.exp(-start))
    variance = share * (1 - share)
    return start + (y / trials - share) / variance, trials * variance


class Family(Link, Component):
    """How an outcome is distributed around its expected value.

    `eta` is a dict of linear predictors by name (see `predictors`); `aux` is a dict of the family's own
    parameters by name (see `parameters`). Arrays broadcast, so draws may lead: (chain, draw, visit).
    """

    censorable: ClassVar[bool] = False
    normal: ClassVar[bool] = False  # normal on the link scale, with residual SD `sigma`
    geometric: ClassVar[bool] = False  # levels are reported as medians (geometric means)
    exposed: ClassVar[bool] = False  # counts per exposure: the log of the exposure is added to the predictor
    takes_errors: ClassVar[bool] = False  # a measurement may come with an error of its own, in its unit, beside `sigma`
    approximated: ClassVar[bool] = False  # `approximate` says what a cell is worth
    informative: ClassVar[bool] = True  # a single measurement says much of its patient
    counts: ClassVar[bool] = False  # measurements are whole numbers
    score: ClassVar[bool] = False  # between two ends, at which many patients may be
    suits: ClassVar[str] = ""  # measurements for which a check names it: POSITIVE, WITH_ZEROS, BETWEEN_ENDS or FAR_OFF
    heavier_tailed: ClassVar[str] = ""  # the family of such measurements of which a few lie far off
    overdispersed: ClassVar[str] = ""  # the family of such measurements that scatter more
    # its parameters that may have a predictor of their own, by name, and the link of each; and parts that it has only
    # then
    links: ClassVar[Mapping[str, str]] = {}
    # which of these says where zeros are more, or fewer, than the rest of the family allows
    more_zeros: ClassVar[str] = ""
    fewer_zeros: ClassVar[str] = ""
    formula: ClassVar[str] = "y ~ Normal(eta, sigma)"
    r_apart: ClassVar[bool] = False  # R fits its parts one by one
    r_parts: ClassVar[
        Mapping[str, str]
    ] = {}  # what brms calls a parameter with a predictor of its own, on the same link
    r_formula: ClassVar[str] = "gaussian()"  # the family of brms; empty where it has none

    @property
    def binary(self) -> bool:
        """Whether measurements are no and yes, whose probability is judged and drawn in place of a distribution."""
        return self.counts and not self.score and self.ends() == (0.0, 1.0)

    @property
    def ordinal(self) -> bool:
        """Whether measurements are ordered categories, each of which has a probability and a name."""
        return self.texts() is not None

    @classmethod
    def scatter(cls) -> str:
        """The parameter of how far measurements scatter, where it may have a predictor of its own; else empty."""
        return next((name for name, link in cls.links.items() if link == "log"), "")

    @property
    def has_zero_part(self) -> bool:
        """Whether zeros stand apart from other measurements, with a predictor of their own."""
        return ZERO in self.predictors()

    def predictors(self) -> tuple[str, ...]:
        """Names of the linear predictors, `location` first; each has its own trajectory and patient effects."""
        return ("location",)

    def written(self, parts: Collection[str]) -> str:
        """The formula of measurements where the study gives these parameters a predictor of their own."""
        return self.formula

    def together(self, parts: Collection[str]) -> tuple[tuple[str, str], ...]:
        """(key, what is wrong) of predictors that do not go together; empty where they do."""
        return ()

    def always(self, predictor: str) -> bool:
        """Whether every outcome of this family has that predictor, whether a study says so or not."""
        return predictor in self.predictors()

    def part(self, predictor: str) -> Link:
        """The link on which a predictor is, in whose words its parameters are told."""
        return self if predictor == "location" else LINKS[self.links[predictor]]

    def told(self, eta: Arrays, values: Arrays, xp: Any) -> tuple[Arrays, Arrays]:
        """`eta` and `aux` from all predictors: a parameter with a predictor on the log is handed over as what it is.

        Parameters
        ----------
        eta
            Linear predictors by name.
        values
            The outcome's parameters by name, and under `known_error` the SDs of measurement errors that are known, by
            which the residual SD of each measurement is larger.
        xp
            `numpy` or `pytensor.tensor`.
        """
        own = {name: xp.exp(eta[name]) for name in eta if self.links.get(name) == "log"}
        aux = {**values, **own}
        if KNOWN_ERROR in values:
            aux["sigma"] = xp.sqrt(aux["sigma"] ** 2 + values[KNOWN_ERROR] ** 2)
        return {name: v for name, v in eta.items() if name not in own}, aux

    def encode(self, values: Any) -> Any:
        """Measurements in outcome units -> as `observe` and `log_density` are handed them."""
        return np.asarray(values, dtype=float)

    def averages(self, values: np.ndarray) -> bool:
        """Whether the mean of these measurements, of one patient at one time, is a measurement such as they are."""
        return not self.counts and self.texts() is None

    def texts(self) -> Mapping[str, float] | None:
        """Cell text -> measurement, where the declared texts alone are legal; None where cells are numbers."""
        return None

    @abstractmethod
    def parameters(self, scale: Scale) -> dict[str, Prior | Joint]:
        """The family's own parameters and their default priors, on the clinical scale; a joint prior stands for
        several."""

    def joint(self, name: str, text: str) -> Joint | None:
        """The prior that a study states of several parameters at once; None where no joint prior has this name.

        Raises
        ------
        ValueError
            With a message that says how to mend the text.
        """
        return None

    @abstractmethod
    def observe(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], cells: Cells) -> Any:
        """The likelihood of the encoded cells, inside the open PyMC model.

        Parameters
        ----------
        pm
            The module `pymc`.
        name
            Of the random variable, or of the potential.
        eta, aux
            Linear predictors and parameters by name, tensors that broadcast to (n,).
        """

    @abstractmethod
    def draw(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        """Measurements in outcome units, drawn with NumPy, written apart from `observe`.

        Returns
        -------
        ndarray
            Of the shape to which `eta` and `aux` broadcast.
        """

    @abstractmethod
    def log_density(self, cells: Cells, eta: Arrays, aux: Arrays) -> np.ndarray:
        """Log density (or probability) of each measurement in outcome units; log probability of each censored cell."""

    @abstractmethod
    def mean(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        """Expected measurement in outcome units."""

    def r_call(self, y: str, predictor: str = "location") -> Call | None:
        """What fits a predictor to a column in R by likelihood, all other predictors apart; None where no package does.

        Parameters
        ----------
        y
            What R calls the column.
        """
        return None

    def r_family(self, parts: Collection[str]) -> str:
        """The family of brms where the study gives these parameters a predictor of their own; empty where it has
        none."""
        return self.r_formula

    def r_additions(self) -> tuple[str, ...]:
        """What brms is told of the response beside its column, such as `trials(30)`."""
        return ()

    def per_row(self) -> bool:
        """Whether each measurement has an effect of its own."""
        return False

    def mean_has_moments(self) -> bool:
        """Whether the posterior of a population mean has a mean and an SD of its own (not only quantiles)."""
        return True

    def remark(self) -> str:
        """What a reader must know of the measurements to read the model, in a sentence; usually nothing."""
        return ""

    def faults(self) -> tuple[tuple[str, str], ...]:
        """(key, what is wrong) of fields that do not go together; empty where the family can be used."""
        return ()

    def approximate(self, cells: Cells, aux: Arrays, curve: Any, pooled: Pooled, xp: Any) -> tuple[Any, Any]:
        """A normal measurement on the link scale that says of the location about what each cell says.

        It steers the sampler and changes no posterior; what it says of a censored cell is not used.

        Parameters
        ----------
        curve
            (n,) the location without the patient's own effects.
        pooled
            (n,) -> (n,) the sum over all cells of the same patient.
        xp
            `numpy` or `pytensor.tensor`.

        Returns
        -------
        value, precision
            (n,) each.

        Raises
        ------
        NotImplementedError
            Where a family is not `approximated`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no approximation")

    def approximate_zeros(self, cells: Cells, curve: Any, pooled: Pooled, xp: Any) -> tuple[Any, Any]:
        """The same of whether a cell is zero, where zeros have a predictor of their own on the logit."""
        return scored(xp.where(cells.value > 0, 0.0, 1.0), 1, curve, pooled, xp)

    # A family that is normal on its link scale may be so in a part of its cells only (the positive doses of a hurdle).

    def normal_cells(self, values: np.ndarray) -> np.ndarray:
        """Positions of the encoded cells that are normal around the location, given that they are where they are."""
        return np.arange(len(values))

    def on_link(self, values: Any, xp: Any) -> Any:
        """Encoded cells of `normal_cells` -> link scale; `xp` is `numpy` or `pytensor.tensor`."""
        return values

    def observe_rest(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], cells: Cells) -> Any:
        """What is left of the likelihood once the normal part is taken out (whether a dose is zero); usually
        nothing."""
        return None
