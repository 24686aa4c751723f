"""What `power` and `calibrate` are asked for: each option stated once, with its name, type, default, help and check.

`taking` makes the functions of Python of it (`studies.py`), and the door its commands (`cli/simulations.py`). It loads nothing heavy.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, MISSING, Field, dataclass, fields
from functools import partial, wraps
from inspect import Parameter, Signature, cleandoc, formatannotation
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ForwardRef, get_args

from bayesmyo.errors import UsageError

if TYPE_CHECKING:
    from distributed import Security

    from bayesmyo.inference.fit import Fit
    from bayesmyo.study.study import Study

TARGET = 0.8  # the power whose smallest number of patients is looked for
LIMIT = 1800.0  # seconds; with the first compilation a replicate may well take minutes
Check = Callable[[str, Any], Any]  # (name, value) -> the value as it is used, or UsageError


def _any(_: str, value: Any) -> Any:
    return value


# --- what may be handed over from Python, and what was meant


def _number(value: object, kind: type[Any]) -> bool:
    """Whether a value is a finite number of a kind; a yes or no is none."""
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)


def _times(value: Any) -> bool:
    """Whether a value is a list of numbers."""
    several = isinstance(value, Sequence) or getattr(value, "ndim", 0) == 1
    return several and len(value) > 0 and all(_number(v, Real) for v in value)


def _listed(what: str, one: Callable[[Any], bool], made: Callable[[Any], Any]) -> Check:
    """A list of what `one` accepts; a lone one may have been meant."""

    def check(name: str, given: Any) -> tuple[Any, ...]:
        lone = getattr(given, "ndim", 1) == 0
        if lone or one(given) or isinstance(given, str | Mapping) or not isinstance(given, Iterable):
            meant = f"write ({given!r},)" if one(given) else ""
            raise UsageError(name, f"must be a list of {what}", repr(given), meant)
        values = tuple(given)
        for value in values:
            if not one(value):
                raise UsageError(name, f"must be {what}", repr(value))
        return tuple(made(value) for value in values)

    return check


def _of_numbers(times: Iterable[Any]) -> tuple[float, ...]:
    return tuple(float(t) for t in times)


TEXTS = _listed("texts", lambda value: isinstance(value, str), str)
WHOLE = _listed("whole numbers", partial(_number, kind=Integral), int)
NUMBERS = _listed("finite numbers", partial(_number, kind=Real), float)
SCHEDULES = _listed("schedules, each a list of times", _times, _of_numbers)


def share(name: str, given: Any, most: float = 1) -> Any:
    """A number between 0 and `most`, or nothing. Raises UsageError."""
    if given is not None and not (_number(given, Real) and 0 < given < most):
        got = f"{given:g}" if isinstance(given, float) else repr(given)
        raise UsageError(name, f"must lie between 0 and {most:g}", got)
    return given if given is None else float(given)


def _error(name: str, given: Any) -> Any:
    """A Monte Carlo error, or nothing."""
    return share(name, given, most=0.5)


def _replicates(name: str, given: Any) -> int:
    if given == "auto":
        raise UsageError(name, "must be a whole number", '"auto"', "with mcse=0.02 a cell stops before, when it can")
    if not _number(given, Integral):
        raise UsageError(name, "must be a whole number", repr(given))
    return int(given)


def _seed(name: str, given: Any) -> int:
    if not _number(given, Integral) or given < 0:
        raise UsageError(name, "must be a whole number, not negative", repr(given))
    return int(given)


# --- what was typed


def _typed_texts(_: str, text: str) -> tuple[str, ...]:
    """`paper, null` as two texts."""
    return tuple(word for part in text.split(",") if (word := part.strip()))


def _typed_numbers(name: str, text: str) -> tuple[float, ...]:
    """`0.5,1` as numbers."""
    values = []
    for word in _typed_texts(name, text):
        try:
            values.append(float(word))
        except ValueError:
            raise UsageError(name, "must be numbers, separated by commas", f'"{word}"', "such as 0.5,1") from None
        if not math.isfinite(values[-1]):
            raise UsageError(name, "must be finite", f'"{word}"')
    if not values:
        raise UsageError(name, "names nothing", f'"{text}"')
    return tuple(values)


def _typed_whole(name: str, text: str) -> tuple[int, ...]:
    """`10,23,50` as whole numbers."""
    for word in _typed_texts(name, text):
        if not word.isdecimal():
            raise UsageError(name, "must be whole numbers, separated by commas", f'"{word}"', "such as 10,23,50")
    return tuple(int(v) for v in _typed_numbers(name, text))


def _typed_schedules(name: str, text: str) -> tuple[tuple[float, ...], ...]:
    """`0,6,12/0,3,6,12` as two schedules."""
    return tuple(_typed_numbers(name, part) for part in text.split("/") if part)


def _typed_replicates(name: str, text: str) -> int | str:
    if text != "auto" and (not text.isdecimal() or int(text) < 1):
        raise UsageError(name, "must be a whole number above zero, or auto", f'"{text}"')
    return text if text == "auto" else int(text)


def _typed_shard(name: str, text: str) -> tuple[int, int]:
    """`2/8` as the second of eight parts."""
    number, slash, of = text.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise UsageError(name, "must be i/n with i from 1 to n", f'"{text}"', "such as 2/8")
    return int(number), int(of)


def _typed_methods(name: str, text: str) -> tuple[str, ...]:
    return () if text == "none" else _typed_texts(name, text)


def enough(mcse: float | None) -> int:
    """How many replicates reach a Monte Carlo error, whatever the power is: what `auto` stands for. Raises UsageError where it is missing."""
    if mcse is None:
        raise UsageError("--replicates auto", "needs to know when to stop", mend="add --mcse 0.02")
    return 2 * int(0.25 / mcse**2 + 1)  # one half at most is the variance; twice, because some may fail


# --- the options


@dataclass(frozen=True)
class Option:
    """What is known of an option beside its name, type and default, which are those of its field.

    help: what --help says; more: what the docstring of the function says beyond that
    check: of a value that is handed over; read: of what was typed
    typed: what the command line takes; least: of a number; flag: how it is typed, unless as --its-name; empty where it cannot be
    """

    help: str
    check: Check = _any
    read: Check = _any
    typed: type = str
    least: float | None = None
    metavar: str | None = None
    flag: str | None = None
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
            object.__setattr__(self, f.name, option(f).check(f.name, getattr(self, f.name)))


PATIENTS = Option("Numbers of patients, such as 10,23,50 (default: the design's).", WHOLE, _typed_whole)
FIT = Option("Truths are draws of this fit's posterior.", typed=Path, flag="--from-fit")
REPLICATES = Option(
    "Of each cell, or auto: until --mcse is reached.", _replicates, _typed_replicates, metavar="N|auto", more="A number in Python."
)  # fmt: skip
ENGINE = Option("How to sample: nuts, or mock for a dry run.")
SEED = Option("Same seed, same result.", _seed, typed=int, least=0)
MIXED = Option("Go on with other versions than began; marked in the results.", typed=bool, flag="--allow-mixed")
WORKERS = Option(
    "Processes on this machine (default: one for every core, if memory lasts); 0: this one alone.", typed=int, least=0
)
FOLDER = Option("The folder of the results; the same command goes on in it.", typed=Path, flag="-o --output")


@dataclass(frozen=True)
class SimulationOptions(Options):
    """What every simulation study is asked for: whom to simulate, where to, and who computes."""

    study: Annotated["Study", Option("Who is simulated, and what is asked.", flag="")]
    folder: Annotated[str | Path, FOLDER]
    _: KW_ONLY
    engine: Annotated[str, ENGINE] = "nuts"
    seed: Annotated[int, SEED] = 1
    workers: Annotated[int | None, WORKERS] = None
    cluster: Annotated[
        str | None, Option("A running dask scheduler instead, such as tcp://host:8786.", metavar="ADDRESS")
    ] = None
    tls_ca: Annotated[
        str | Path | None, Option("Of a scheduler at tls://: the authority's certificate (PEM).", typed=Path)
    ] = None
    tls_cert: Annotated[str | Path | None, Option("The certificate to show to it (PEM).", typed=Path)] = None
    tls_key: Annotated[str | Path | None, Option("The key of that certificate (PEM).", typed=Path)] = None
    security: Annotated["Security | None", Option("Encryption for dask instead of these three files.", flag="")] = None
    shard: Annotated[
        tuple[int, int] | None,
        Option(
            "Only this part of the work, such as 2/8; `bayesmyo merge` joins them.", read=_typed_shard, metavar="I/N"
        ),
    ] = None
    progress: Annotated[Callable[[Any], None] | None, Option("Called with a `State` now and then.", flag="")] = None
    limit: Annotated[
        float | None,
        Option("Seconds for one replicate, after which it is given up and counts as failed.", typed=float, least=1),
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
        Option(
            "Scenarios of the study, such as paper,null (default: all).", TEXTS, _typed_texts, flag="--scenario",
            more="One with design priors gives assurance.",
        ),
    ] = ()  # fmt: skip
    patients: Annotated[Sequence[int], PATIENTS] = ()
    follow_up: Annotated[
        Sequence[float],
        Option(
            "Follow-ups of a protocol, or on average (SD and maximum are scaled), such as 12,24.", NUMBERS, _typed_numbers,
            more="In the study's unit of time.",
        ),
    ] = ()  # fmt: skip
    every: Annotated[
        Sequence[float],
        Option("How far apart visits are after the first ones, such as 1,3.", NUMBERS, _typed_numbers),
    ] = ()
    visits: Annotated[
        Sequence[tuple[float, ...]],
        Option(
            "Whole schedules instead: times by commas, schedules by slashes, such as 0,6,12/0,3,6,12.",
            SCHEDULES,
            _typed_schedules,
        ),
    ] = ()
    loss: Annotated[
        Sequence[float], Option("Hazards of loss per unit of time, such as 0,0.01.", NUMBERS, _typed_numbers)
    ] = ()
    looks: Annotated[
        Sequence[int],
        Option(
            "Interim looks after so many patients, such as 10,15; stops when a decision is met.", WHOLE, _typed_whole
        ),
    ] = ()


@dataclass(frozen=True, kw_only=True)
class PowerOptions(Axes, SimulationOptions):
    """What `power` is asked for."""

    futility: Annotated[
        float | None, Option("Stop at a look where the probability is below this.", share, share, float)
    ] = None
    analysis: Annotated[
        "Study | None",
        Option("Another study that analyses what this one simulates.", more="Estimands are matched by name."),
    ] = None
    fit: Annotated["Fit | None", FIT] = None
    comparators: Annotated[
        Sequence[str],
        Option("Other methods beside: t test, mixed model, common slope; or none.", TEXTS, _typed_methods),
    ] = ("t test", "mixed model")
    target: Annotated[float, Option("The power of the smallest number of patients.", share, share, float)] = TARGET
    replicates: Annotated[int, REPLICATES] = 400
    mcse: Annotated[
        float | None,
        Option("Stop a cell when the Monte Carlo error of every decision is at most this.", _error, _error, float),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.futility is not None and not self.looks:
            raise UsageError("--futility", "is a rule for interim looks", mend="add --looks 10,15")


def listed(options: type[Options]) -> list[Field[Any]]:
    """The options in the order in which they are told: what every simulation study is asked for comes last, after where."""
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
        call.__signature__ = Signature(taken, return_annotation=function.__annotations__["return"])  # type: ignore[attr-defined]
        call.__doc__ = cleandoc(function.__doc__ or "").replace("{options}", "\n".join(described))
        return call

    return lend


def _type(f: Field[Any]) -> str:
    """The type of an option in words."""
    (first, *_) = get_args(f.type)
    text = first.__forward_arg__ if isinstance(first, ForwardRef) else formatannotation(first)
    return re.sub(r"\b(?:\w+\.)+(?=[A-Z])", "", text)
