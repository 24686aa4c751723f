"""The table as it was read: plain numbers, levels and times in columns that the study names, for R and for bayesmyo
itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bayesmyo.components.families import Family
from bayesmyo.study.covariates import table_column, used
from bayesmyo.study.study import DataFormat, Study

RISKY = ("=", "+", "-", "@", "\t", "\r")


def plain(study: Study) -> Study:
    """The same model of the table as it was read: nothing is left to convert, to rename, to join or to count from a
    date."""
    return replace(
        study,
        data=DataFormat(missing=()),
        time=replace(study.time, date=None, since=None),
        covariates={name: replace(c, map=None) for name, c in study.covariates.items()},
        outcomes={name: replace(o, map=None, recorded=None) for name, o in study.outcomes.items()},
        text="",
    )


@dataclass(frozen=True)
class Bounds:
    """The columns that say to R what is known of an outcome whose cells may be limits.

    value: the measurement, or the limit (the lower of two); censored: none, left, right or interval
    upper: the upper limit where there are two, elsewhere the value; empty where the study has no such cells
    """

    value: str
    censored: str
    upper: str = ""

    @property
    def added(self) -> tuple[str, ...]:
        """Those that stand beside the outcome's own column, which holds the cells as they are typed."""
        return (self.value, self.censored, self.upper) if self.upper else (self.censored,)


def bounds(study: Study, outcome: str) -> Bounds | None:
    """None where the study declares no limits."""
    o = study.outcomes[outcome]
    if o.censoring is None:
        return None
    if o.limits:
        return Bounds(o.column, beside(study, f"{o.column}_censored"))
    return Bounds(*(beside(study, f"{o.column}_{part}") for part in ("value", "censored", "upper")))


def columns(study: Study, limits: Mapping[str, Bounds]) -> tuple[str, ...]:
    """The header: who, when, covariates, outcomes with what stands beside them, exposures, exits, events.

    Parameters
    ----------
    limits
        As `bounds` says, by outcome.
    """
    listed = [study.patient, study.time.column, *(table_column(study, name) for name in used(study))]
    for name, o in study.outcomes.items():
        listed += [o.column, *(limits[name].added if name in limits else ())]
    listed += [c for o in study.outcomes.values() for c in o.beside]
    return tuple(dict.fromkeys([*listed, *happening(study)]))


def happening(study: Study) -> tuple[str, ...]:
    """The columns that say when and why follow-up ended, and what happened."""
    of_events = [c for e in study.events.values() for c in (e.at, e.column)]
    return tuple(c for c in (study.time.exit, study.time.reason, *of_events) if c is not None)


def all_bounds(study: Study) -> dict[str, Bounds]:
    """Of every outcome that declares limits."""
    return {name: limits for name in study.outcomes if (limits := bounds(study, name))}


def beside(study: Study, column: str) -> str:
    """A name for a column that the study has not."""
    taken = {study.patient, study.time.column, *(table_column(study, name) for name in study.covariates)}
    taken |= {*happening(study)}
    taken |= {column for o in study.outcomes.values() for column in (o.column, *o.beside)}
    while column in taken:
        column += "_"
    return column


def grades(family: Family) -> tuple[str, ...]:
    """The texts that stand for the measurements of a family of grades, lowest first; levels that are merged have
    one."""
    first: dict[float, str] = {}
    for text, score in (family.texts() or {}).items():
        first.setdefault(score, text)
    return tuple(first[score] for score in sorted(first))


def inert(text: str) -> str:
    """Text that no spreadsheet runs as a formula."""
    return "'" + text if text.startswith(RISKY) else text
