"""A linear predictor as terms of a formula in R.

The terms are those of the components, letter by letter: a coefficient of ours is the coefficient of the same term in R.
The table is the one that bayesmyo read (`clean.py`), called `d`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bayesmyo.components.in_r import minus, names, number, text, together
from bayesmyo.study.clean import all_bounds, columns, grades, inert
from bayesmyo.study.covariates import base, table_column, used
from bayesmyo.study.covariates import columns as design
from bayesmyo.study.parameters import Parameter, parameters
from bayesmyo.study.predictors import Predictor, blocks, predictors
from bayesmyo.study.study import NEW, Outcome, Study

ROW = "observation"  # the column that numbers the rows


class NoEquivalent(Exception):
    """Why R has no call for what a study assumes."""


def table(study: Study, file: str = "CLEAN.csv") -> list[str]:
    """Lines of R that read the table: levels in our order, the reference first, and grades in order."""
    grading = [o for o in study.outcomes.values() if o.family.texts() is not None]
    ordered = {column(study, o.column): grades(o.family) for o in grading}
    factors = {
        column(study, table_column(study, n)): tuple(level for level in levels if level != NEW)
        for n in used(study)
        if (levels := study.covariates[n].levels)
    }
    named = names(columns(study, all_bounds(study)))
    told = [text(file), f"na.strings = {text('')}"]
    if any(c != called for c, called in named.items()):
        told.append(f"col.names = c({', '.join(map(text, named.values()))})")
    if texts := [f"{c} = {text('character')}" for c in (*factors, *ordered)]:
        told.append(f"colClasses = c({', '.join(texts)})")
    lines = [f"d <- read.csv({', '.join(told)})"]
    for c, levels in (factors | ordered).items():
        order = ", ordered = TRUE" if c in ordered else ""
        lines.append(f"d${c} <- factor(d${c}, levels = c({', '.join(text(inert(v)) for v in levels)}){order})")
    if any(o.family.per_row() for o in study.outcomes.values()):
        lines.append(f"d${row(study)} <- factor(seq_len(nrow(d)))")
    return lines


def column(study: Study, name: str) -> str:
    """What R calls a column of the table that was written."""
    return names(columns(study, all_bounds(study)))[name]


def row(study: Study) -> str:
    """What R calls the column that numbers the rows."""
    return names([*columns(study, all_bounds(study)), ROW])[ROW]


@dataclass(frozen=True)
class Terms:
    """A linear predictor as terms of R.

    first: the earliest time in the table, on which it hangs whether anything before the start is held at its level
    """

    study: Study
    predictor: Predictor
    first: float

    @property
    def outcome(self) -> Outcome:
        return self.study.outcomes[self.predictor.outcome]

    @property
    def patient(self) -> str:
        return column(self.study, self.study.patient)

    @property
    def time(self) -> str:
        return column(self.study, self.study.time.column)

    @property
    def exposure(self) -> str:
        """The log of the exposure; empty where there is none."""
        return f"log({column(self.study, self.outcome.exposure)})" if self.outcome.exposure else ""

    @cached_property
    def clocks(self) -> Mapping[str, str]:
        """What each coefficient multiplies; empty where the predictor is not linear in all of them."""
        return self.predictor.trajectory.r_terms(self.time, self.first)

    def curve(self, larger: str = "pmax") -> str:
        """The curve by its coefficients, where it is not linear in them. larger: what gives the larger of two
        numbers"""
        return self.predictor.trajectory.r_curve(self.time, self.first, larger)

    @cached_property
    def own(self) -> list[str]:
        """What the coefficients in which patients differ multiply: a factor once, for all its levels."""
        effects = self.predictor.effects
        terms = [self.covariate(self._owner(e.column)) if e.column else self.clocks[e.coefficient] for e in effects]
        return list(dict.fromkeys(terms))

    @cached_property
    def fixed(self) -> list[str]:
        """The terms of all patients, and those of groups and of single rows."""
        p, family, known = self.predictor, self.outcome.family, self.study.covariates
        first, *moving = self.clocks.values()
        terms = [*([] if family.anchored and moving else [first]), *moving]
        terms += [self.covariate(c) for c in p.covariates if not known[c].group]
        terms += [f"{self.covariate(c)}:{clock}" for c in p.moderators for clock in moving if not known[c].group]
        # coefficients of groups are drawn from one distribution, independent of each other
        grouped = [(n, "1") for n in p.covariates] + [(n, f"0 + {clock}") for n in p.moderators for clock in moving]
        terms += [f"({t} | {column(self.study, table_column(self.study, n))})" for n, t in grouped if known[n].group]
        return [*terms, f"(1 | {row(self.study)})"] if family.per_row() else terms

    @property
    def formula(self) -> str:
        """Fixed and patient-level terms, for brms."""
        patients = [f"({inner(self.own)} {self.bar()} {self.patient})"] if self.own else []
        return " + ".join([*self.fixed, *patients])

    def bar(self, separate: bool = False) -> str:
        """What stands between patient-level terms and the patient: `|p|` where terms of other formulas are correlated
        with them.

        separate: each effect of this predictor has a formula of its own
        """
        mine = self.predictor.effects
        block = next((b.effects for b in blocks(self.study) if set(b.effects) & set(mine)), ())
        if len(block) > 1 and (separate or not set(block) <= set(mine)):
            return "|p|"
        return "|" if separate or len(mine) < 2 or len(block) > 1 else "||"

    @cached_property
    def why_not(self) -> str:
        """Why there is no formula of fixed and patient-level terms; empty where there is one."""
        p, clocks = self.predictor, self.clocks
        if not clocks:
            return f"trajectory {p.trajectory.kind}"
        owners = [(e.column, self._owner(e.column)) for e in p.effects if e.column]
        levels = [name for of, name in owners if of != name]
        # R leaves out the reference only beside an intercept in the same bracket
        if levels and not (
            correlated(self.study, self.predictor) and any(clocks.get(e.coefficient) == "1" for e in p.effects)
        ):
            return f"patients differ in the effect of the levels of {levels[0]}, on its own"
        if apart := [e.coefficient for e in p.effects if not e.column and e.coefficient not in clocks]:
            return f"patients differ in {apart[0]}, which is no term of R"
        return "" if self._whole_products() else "a product without its parts"

    def _whole_products(self) -> bool:
        """Whether R codes every factor as we do: without its reference, which it does where the rest of a term is a
        term too."""
        p, known, (_, *moving) = self.predictor, self.study.covariates, self.clocks.values()
        terms = [frozenset(self._parts(c)) for c in p.covariates if not known[c].group]
        terms += [frozenset([*self._parts(c), clock]) for c in p.moderators for clock in moving if not known[c].group]
        present = {frozenset[str](), *(frozenset([clock]) for clock in moving), *terms}
        return all(term - {part} in present for term in terms for part in term if part in known and known[part].levels)

    def _owner(self, of: str) -> str:
        """The covariate of which a design column is."""
        return next(n for n in self.predictor.covariates if of in design(self.study, n))

    def _parts(self, covariate: str) -> tuple[str, ...]:
        product = self.study.covariates[covariate].product
        return tuple(part for c in product for part in self._parts(c)) if product else (covariate,)

    def covariate(self, name: str) -> str:
        """A covariate as its coefficient multiplies it: from `typical` and per `scale`, or the factor that `table` made
        of it."""
        c = self.study.covariates[name]
        if c.product:
            return ":".join(self.covariate(part) for part in c.product)
        of = column(self.study, table_column(self.study, name))
        if c.levels:
            return of
        assert c.typical is not None
        assert c.scale is not None
        if c.transform == "log":
            ratio = of if c.typical == 1 else f"{of}/{number(c.typical)}"
            return together(f"log({ratio})/log({number(c.scale)})")
        moved = minus(of, c.typical)
        if c.transform == "sqrt":
            moved = f"sqrt({of})" if c.typical == 0 else f"sqrt({of}) - sqrt({number(c.typical)})"
        if c.scale != 1:
            moved = f"{moved if c.typical == 0 else f'({moved})'}/{number(c.scale)}"
        return together(moved)


def terms(study: Study, outcome: str, first: float) -> list[Terms]:
    """The terms of each linear predictor of an outcome, the location first."""
    return [Terms(study, p, first) for p in predictors(study, outcome)]


def correlated(study: Study, p: Predictor) -> bool:
    """Whether a predictor's effects are correlated with each other."""
    return any(sum(e in p.effects for e in b.effects) > 1 for b in blocks(study))


def inner(own: Sequence[str]) -> str:
    """Patient-level terms as they stand before the bar."""
    return " + ".join(own if "1" in own else ["0", *own])


def joined(study: Study) -> bool:
    """Whether effects, or residuals, of different outcomes are correlated."""
    return bool(study.correlate_residuals) or any(len({e.outcome for e in b.effects}) > 1 for b in blocks(study))


def known(study: Study, outcome: str) -> list[Parameter]:
    """The parameters of an outcome that are not estimated, because their prior is one value."""
    return [p for p in parameters(study, outcome).values() if p.own and p.own.constant]


def noted(call: str, parts: Sequence[Terms], together: str, *notes: str) -> str:
    """A call with what R does otherwise. together: what is said where effects of outcomes are correlated"""
    study = parts[0].study
    notes = (*([together] if joined(study) else []), *notes)
    asked = dict.fromkeys(n for t in parts for n in base(study, (*t.predictor.covariates, *t.predictor.moderators)))
    notes += tuple(f"without rows that lack {n}" for n in asked if study.covariates[n].missing == "imputed")
    if any(t.clocks.keys() - {c.name for c in t.predictor.coefficients} for t in parts):
        notes += ("the same curves by other coefficients",)
    return f"{call}  # {'; '.join(notes)}" if notes else call
