"""What a simulated cohort looks like, and what is true of it: the tables [design] and [scenarios.*]."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

SLACK = 3.0  # SDs of the jitter, beyond which no visit is expected


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """Potential follow-up, gamma distributed, in the time unit; nobody is followed beyond `maximum`."""

    mean: float
    sd: float
    maximum: float


@dataclass(frozen=True, kw_only=True)
class Visits:
    """Planned visit times, then one every `then_every`, or none; each but the first is moved by a normal jitter of that
    SD."""

    first: tuple[float, ...]
    then_every: float | None = None
    jitter: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Loss to follow-up at a constant hazard per unit of time."""

    hazard: float


@dataclass(frozen=True, kw_only=True)
class Randomised:
    """Randomisation in permuted blocks.

    covariate: whose groups are allocated, such as arms
    ratio: of the groups, in the order of the levels: [2, 1] is 2:1; equal unless stated
    blocks: how many patients a block holds, each a multiple of the sum of the ratio; of several the next one is drawn
        by chance, so that nobody can tell where a block ends
    strata: covariates with groups, within each combination of which there are blocks of their own
    """

    covariate: str
    blocks: tuple[int, ...]
    ratio: tuple[int, ...] | None = None
    strata: tuple[str, ...] = ()

    def parts(self, groups: int) -> tuple[int, ...]:
        """The ratio of so many groups."""
        return self.ratio or (1,) * groups


@dataclass(frozen=True, kw_only=True)
class Design:
    """What a simulated cohort looks like.

    follow_up: a number where a protocol says how long everyone is followed, and every visit planned until then takes
        place, late as it may be; or a distribution of the times at which data are cut, after which nothing is seen
    missing: the share of cells, baseline excepted, that nobody filled in
    exposure: for each exposure column its mean; a visit's exposure is one more than a Poisson count
    error: for each column of known errors the error of every simulated measurement
    balanced: covariates of patients whose groups have their shares as exactly as can be after every patient, as by
        randomisation in the smallest blocks; in the others each patient's group is drawn by chance
    randomised: a covariate of patients whose groups are allocated by permuted blocks
    accrual: patients who enter per unit of time, as a Poisson process that begins with the first of them; where it is
        given, interim looks see what has happened by then
    """

    patients: int
    follow_up: FollowUp | float
    visits: Visits
    loss: Loss | None = None
    missing: float = 0.0
    exposure: Mapping[str, float] = field(default_factory=dict)
    error: Mapping[str, float] = field(default_factory=dict)
    balanced: tuple[str, ...] | None = None
    randomised: Randomised | None = None
    accrual: float | None = None

    @property
    def typical_follow_up(self) -> float:
        """How long a patient is followed who is not lost: as the protocol says, or on average."""
        return self.follow_up.mean if isinstance(self.follow_up, FollowUp) else self.follow_up

    def followed(self, mean: float) -> "Design":
        """It with another follow-up: of a protocol, or on average, with SD and maximum in proportion."""
        f = self.follow_up
        scaled: FollowUp | float = mean
        if isinstance(f, FollowUp):
            scaled = replace(f, mean=mean, sd=f.sd * mean / f.mean, maximum=f.maximum * mean / f.mean)
        return replace(self, follow_up=scaled)

    @property
    def latest(self) -> float:
        """The time after which no visit is to be expected."""
        return (
            self.follow_up.maximum
            if isinstance(self.follow_up, FollowUp)
            else self.follow_up + SLACK * self.visits.jitter
        )


@dataclass(frozen=True)
class Scenario:
    """A truth to simulate from: values[outcome][parameter], levels in outcome units, SDs on the link scale.

    A value is a number, or the text of a design prior from which each simulated cohort draws its own
    (`"normal(4.4, 0.2)"`).
    values["correlations"] holds correlations between effects of different outcomes; those not stated are zero.
    like: the scenario whose values hold where none is given here.
    """

    values: Mapping[str, Mapping[str, float | str]]
    like: str | None = None
    title: str = ""
