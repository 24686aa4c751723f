"""What `power` and `calibrate` are asked for: each option stated once, with its name, type, default, help and check.

`taking` makes the functions of Python of it (`studies.py`), and the door its commands (`cli/simulations.py`). It loads
nothing heavy.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, MISSING, Field, dataclass, fields
from functools import wraps
from inspect import Parameter, Signature, cleandoc, formatannotation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ForwardRef, get_args

from bayesmyo.errors import UsageError
from bayesmyo.simulation import values
from bayesmyo.simulation.values import Kind

if TYPE_CHECKING:
    from distributed import Security

    from bayesmyo.inference.fit import Fit
    from bayesmyo.study.study import Study

ALPHA = 0.025  # the type I error that a threshold is solved for
TARGET = 0.8  # the power whose smallest number of patients is looked for
MOST_AHEAD = 10_000  # cohorts of one look ahead
ROUNDING = 1e-9
LIMIT = 1800.0  # seconds; with the first compilation a replicate may well take minutes


@dataclass(frozen=True)
class Option:
    """What is known of an option beside its name, type and default, which are those of its field.

    help: what --help says; more: what the docstring of the function says beyond that
    flag: how it is typed, unless as --its-name; metavar: what stands there for its value, unless its type
    """

    help: str
    kind: Kind = values.WORD
    flag: str = ""
    metavar: str | None = None
    more: str = ""


def option(f: Field[Any]) -> Option:
    """What a field says of its option."""
    said: Option = get_args(f.type)[1]
    return said


@dataclass(frozen=True)
class Options:
    """Options by name; what is handed over is checked, and kept as it is used."""

    def __post_init__(self) -> None:
        for f in fields(self):
            object.__setattr__(self, f.name, option(f).kind.check(f.name, getattr(self, f.name)))


PATIENTS = Option("Numbers of patients, such as 10,23,50 (default: the design's).", values.WHOLE)
FIT = Option("Truths are draws of this fit's posterior.", values.PATH, "--from-fit")
REPLICATES = Option(
    "Of each cell, or auto: until --mcse is reached.", values.REPLICATES, metavar="N|auto", more="In Python a number."
)
ENGINE = Option("How to sample: laplace (fast, certified), nuts, or mock for a dry run.")
SEED = Option("Same seed, same result.", values.SEED)
MIXED = Option("Go on with other versions than began; marked in the results.", values.YES, "--allow-mixed")


@dataclass(frozen=True)
class SimulationOptions(Options):
    """What every simulation study is asked for: whom to simulate, where to, and who computes."""

    study: Annotated["Study", Option("Who is simulated, and what is asked.", values.NEVER_TYPED)]
    folder: Annotated[
        str | Path,
        Option("The folder of the results; the same command goes on in it.", values.PATH, "-o --output"),
    ]
    _: KW_ONLY
    engine: Annotated[str, ENGINE] = "laplace"
    seed: Annotated[int, SEED] = 1
    workers: Annotated[
        int | None,
        Option(
            "Processes on this machine (default: one for every core, if memory lasts); 0: this one alone.", values.COUNT
        ),
    ] = None
    cluster: Annotated[
        str | None, Option("A running dask scheduler instead, such as tcp://host:8786.", metavar="ADDRESS")
    ] = None
    tls_ca: Annotated[
        str | Path | None, Option("Of a scheduler at tls://: the authority's certificate (PEM).", values.PATH)
    ] = None
    tls_cert: Annotated[str | Path | None, Option("The certificate to show to it (PEM).", values.PATH)] = None
    tls_key: Annotated[str | Path | None, Option("The key of that certificate (PEM).", values.PATH)] = None
    security: Annotated[
        "Security | None", Option("Encryption for dask instead of these three files.", values.NEVER_TYPED)
    ] = None
    shard: Annotated[
        tuple[int, int] | None,
        Option("Only this part of the work, such as 2/8; `bayesmyo merge` joins them.", values.SHARD, metavar="I/N"),
    ] = None
    progress: Annotated[
        Callable[[Any], None] | None, Option("Called with a `State` now and then.", values.NEVER_TYPED)
    ] = None
    limit: Annotated[
        float | None,
        Option("Seconds for one replicate, after which it is given up and counts as failed.", values.SECONDS),
    ] = LIMIT
    mixed: Annotated[bool, MIXED] = False


@dataclass(frozen=True, kw_only=True)
class CalibrateOptions(SimulationOptions):
    """What `calibrate` is asked for."""

    fit: Annotated["Fit | None", FIT] = None
    patients: Annotated[Sequence[int], PATIENTS] = ()
    replicates: Annotated[int, REPLICATES] = 200


@dataclass(frozen=True, kw_only=True)
class Axes(Options):
    """What varies between the cells of a power study; an empty axis stays as the study has it."""

    scenarios: Annotated[
        Sequence[str],
        Option("Scenarios of the study, such as paper,null (default: all).", values.TEXTS, "--scenario",
               more="One with design priors gives assurance."),
    ] = ()  # fmt: skip
    patients: Annotated[Sequence[int], PATIENTS] = ()
    follow_up: Annotated[
        Sequence[float],
        Option("Follow-ups of a protocol, or on average (SD and maximum are scaled), such as 12,24.", values.NUMBERS,
               more="In the study's unit of time."),
    ] = ()  # fmt: skip
    every: Annotated[
        Sequence[float], Option("How far apart visits are after the first ones, such as 1,3.", values.NUMBERS)
    ] = ()
    visits: Annotated[
        Sequence[tuple[float, ...]],
        Option(
            "Whole schedules instead: times by commas, schedules by slashes, such as 0,6,12/0,3,6,12.", values.SCHEDULES
        ),
    ] = ()
    loss: Annotated[Sequence[float], Option("Hazards of loss per unit of time, such as 0,0.01.", values.NUMBERS)] = ()
    looks: Annotated[
        Sequence[int],
        Option("Interim looks after so many patients, such as 10,15; stops when a decision is met.", values.WHOLE,
               more="With an accrual as soon as so many have entered, with what has happened by then."),
    ] = ()  # fmt: skip
    accrual: Annotated[
        Sequence[float], Option("Patients who enter per unit of time, at random, such as 1,2.", values.NUMBERS)
    ] = ()
    look_at: Annotated[
        Sequence[float],
        Option("Interim looks at dates instead, such as 12,18, with what has happened by then; needs an accrual.",
               values.NUMBERS, more="In the study's unit of time since the first patient."),
    ] = ()  # fmt: skip
    drift: Annotated[
        Sequence[float],
        Option("How far published numbers lie above the truth, in SDs of their prediction, such as -2,-1,0,1,2; also with full trust, and with none.",
               values.NUMBERS, more="The study states them in [evidence]."),
    ] = ()  # fmt: skip


@dataclass(frozen=True)
class Solve:
    """What is solved for, beside the power of what is asked for.

    what: "threshold", "patients" or "follow-up"; alpha: the type I error of a threshold; start: where a search begins
    """

    what: str
    alpha: float = ALPHA
    start: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PowerOptions(Axes, SimulationOptions):
    """What `power` is asked for."""

    futility: Annotated[
        float | None,
        Option("Stop at a look where the probability that a decision looks at is below this.", values.SHARE),
    ] = None
    predictive: Annotated[
        int | None,
        Option("Stop where the predictive probability of success at the end is below --futility instead: counted from so "
               "many completed cohorts, at most, such as 100.", values.COUNT, metavar="COHORTS",
               more="Each is simulated from the posterior at the look, and analysed."),
    ] = None  # fmt: skip
    weights: Annotated[
        Mapping[str, float] | None,
        Option("How likely each scenario is held to be, such as null=0.5,paper=0.5: how often is a claim true?",
               values.WEIGHTS),
    ] = None  # fmt: skip
    analysis: Annotated[
        "Study | None",
        Option("Another study that analyses what this one simulates.", more="Estimands are matched by name."),
    ] = None
    fit: Annotated["Fit | None", FIT] = None
    comparators: Annotated[
        Sequence[str],
        Option("Other methods beside: t test, mixed model, common slope; or none.", values.TEXTS_OR_NONE),
    ] = ("t test", "mixed model")
    target: Annotated[float, Option("The power of the smallest number of patients.", values.SHARE)] = TARGET
    solve: Annotated[
        str | None,
        Option("Solve for: threshold (the probability to ask for), patients or follow-up (with the power --target).",
               values.SOLVED, metavar="WHAT"),
    ] = None  # fmt: skip
    alpha: Annotated[
        float | None, Option(f"The type I error of a threshold that is solved for (default: {ALPHA:g}).", values.SHARE)
    ] = None
    replicates: Annotated[int, REPLICATES] = 400
    mcse: Annotated[
        float | None,
        Option("Stop a cell when the Monte Carlo error of every decision is at most this.", values.ERROR),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.futility is not None and not (self.looks or self.look_at):
            raise UsageError("--futility", "is a rule for interim looks", mend="add --looks 10,15")
        self._looks_ahead()
        if self.alpha is not None and self.solve != "threshold":
            raise UsageError("--alpha", "belongs to a threshold that is solved for", mend="add --solve threshold")
        for name, given in (("--looks", self.looks), ("--look-at", self.look_at), ("--shard", self.shard)):
            if given and self.solve in ("patients", "follow-up"):
                mend = f"leave {name} out, or ask for several values of --{self.solve}"
                raise UsageError(f"--solve {self.solve}", f"and {name} do not go together", mend=mend)
        if self.solve and self.drift:
            raise UsageError(f"--solve {self.solve}", "and --drift do not go together", mend="ask for one at a time")
        if self.solve == "threshold" and self.futility is not None:
            mend = "leave --futility out: a study that may stop for futility has no more type I error than one that may not"
            raise UsageError("--solve threshold", "is for rules that stop for success alone", mend=mend)
        if self.solve == "threshold" and self.fit is not None:
            mend = "leave --from-fit out, and name a scenario in which a decision ought not to be met"
            raise UsageError("--solve threshold", "needs to know what is true, and draws of a fit vary", mend=mend)

    def _looks_ahead(self) -> None:
        """Raises UsageError where a predictive probability cannot be counted."""
        if self.predictive is None:
            return
        if self.futility is None:
            what = "needs to know below which probability a study stops"
            raise UsageError("--predictive", what, mend="add --futility 0.05")
        if self.predictive > MOST_AHEAD:
            raise UsageError("--predictive", f"must be at most {MOST_AHEAD:,}", f"{self.predictive:,}")
        least = math.floor(1 / self.futility + ROUNDING) + 1
        if self.predictive < least:
            what = f"is too few completed cohorts to tell {self.futility:g} from 0"
            raise UsageError("--predictive", what, str(self.predictive), f"ask for {least} or more; 100 is usual")

    @property
    def solved(self) -> Solve | None:
        """What is solved for, if anything."""
        if self.solve is None:
            return None
        design, start = self.study.design, self.patients if self.solve == "patients" else self.follow_up
        if design is not None and not start:
            start = (design.patients,) if self.solve == "patients" else (design.typical_follow_up,)
        return Solve(self.solve, self.alpha or ALPHA, () if self.solve == "threshold" else tuple(map(float, start)))


def enough(mcse: float | None) -> int:
    """How many replicates reach a Monte Carlo error, whatever the power is: what `auto` stands for.

    Raises UsageError where it is missing.
    """
    if mcse is None:
        raise UsageError("--replicates auto", "needs to know when to stop", mend="add --mcse 0.02")
    return 2 * int(0.25 / mcse**2 + 1)  # one half at most is the variance; twice, because some may fail


def listed(options: type[Options]) -> list[Field[Any]]:
    """The options in the order in which they are told: what every simulation study is asked for comes last, after
    where.
    """
    shared = SimulationOptions.__dataclass_fields__
    return sorted(fields(options), key=lambda f: bool(f.kw_only) and f.name in shared)


def taking[**P, Asked, Answer](
    options: Callable[P, Asked],
) -> Callable[[Callable[[Asked], Answer]], Callable[P, Answer]]:
    """A function of options, as one that takes each of them by its name; its docstring lists them at `{options}`."""

    def lend(function: Callable[[Asked], Answer]) -> Callable[P, Answer]:
        @wraps(function)
        def call(*given: P.args, **named: P.kwargs) -> Answer:
            return function(options(*given, **named))

        taken, described = [], []
        for f in listed(options):  # type: ignore[arg-type]
            kind = Parameter.KEYWORD_ONLY if f.kw_only else Parameter.POSITIONAL_OR_KEYWORD
            default = Parameter.empty if f.default is MISSING else f.default
            taken.append(Parameter(f.name, kind, default=default, annotation=_type(f)))
            said = "" if f.default is MISSING else f", default {f.default!r}"
            described.append(f"{f.name} : {_type(f)}{said}\n    {option(f).help} {option(f).more}".rstrip())
        answer = function.__annotations__["return"]
        call.__signature__ = Signature(taken, return_annotation=answer)  # type: ignore[attr-defined]
        call.__doc__ = cleandoc(function.__doc__ or "").replace("{options}", "\n".join(described))
        return call

    return lend


def _type(f: Field[Any]) -> str:
    """The type of an option in words."""
    (first, *_) = get_args(f.type)
    text = first.__forward_arg__ if isinstance(first, ForwardRef) else formatannotation(first)
    return re.sub(r"\b(?:\w+\.)+(?=[A-Z])", "", text)
