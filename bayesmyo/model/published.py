"""What was published about patients like these, inside the model of a study: the prior of an estimand.

An estimand theta is a function of population parameters, so their default priors make it a prior pi_0. What studies say
of the next one like them is its meta-analytic predictive prior, MAP. With probability w, `like_ours`, these patients are
exchangeable with those: theta then has the prior

    w MAP(theta) + (1 - w) pi_0(theta),

the robust mixture of Schmidli et al. (2014), https://doi.org/10.1111/biom.12242. In the joint density the default priors
of the parameters stay as they are, and w MAP / pi_0 + 1 - w multiplies them: then theta has just that prior, and whatever
the parameters say beside theta is as by default. With w = 0 nothing was known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bayesmyo.components.estimands import Estimand
from bayesmyo.components.estimands.estimand import Given, Population, Predicts, Summary
from bayesmyo.components.families.link import Link
from bayesmyo.components.priors import Prior, halfnormal
from bayesmyo.errors import UsageError
from bayesmyo.meta.analysis import BinomialSummary, MetaAnalysis, NormalSummary, Told, meta_analysis
from bayesmyo.meta.normals import Close, Normals, close_to, close_to_draws
from bayesmyo.model.quadrature import ONE
from bayesmyo.study.covariates import coded, with_products
from bayesmyo.study.evidence import Evidence, scale_of, usual_difference
from bayesmyo.study.parameters import draw_values, inventory
from bayesmyo.study.predictors import Predictor, blocks, predictors
from bayesmyo.study.study import Study

Array = np.ndarray
Values = Mapping[str, Mapping[str, Any]]
DRAWS = 20_000  # of the priors, to see what they say of an estimand
FAR = 1e-3  # of the default prior, at either end
NOTHING = 1e-8  # of an estimand's SD: what no parameter moves
MOST = 1_000_000  # draws that are tried
AT_ONCE = 100_000
SEED = 2014


@dataclass(frozen=True, eq=False)
class Default:
    """What the default priors say of an estimand, on its scale.

    distance: of the approximation; zero where it is exact
    at, per: it is at + sum of per[name] * parameter, where it is so; empty where it is no such sum
    """

    normals: Normals
    distance: float
    at: float
    per: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Published:
    """What was published of one estimand. names: the tables that say so"""

    study: Study
    names: tuple[str, ...]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(self.study.evidence[name] for name in self.names)

    @property
    def estimand(self) -> Estimand:
        return self.evidence[0].estimand

    @property
    def outcome(self) -> str:
        return self.evidence[0].outcome

    @property
    def like_ours(self) -> float:
        return self.evidence[0].like_ours

    @property
    def link(self) -> Link:
        """The scale on which the estimand is normal from study to study."""
        return scale_of(self.estimand, self.study.outcomes[self.outcome].family)

    @property
    def told(self) -> tuple[Told, ...]:
        """What each table says, on that scale."""
        return tuple(
            NormalSummary(*e.on(self.link)) if e.events is None else BinomialSummary(e.events, e.patients or 0)
            for e in self.evidence
        )

    @property
    def tau(self) -> Prior:
        """The prior of the SD between studies."""
        if stated := self.evidence[0].tau:
            return Prior.parse(stated)
        family = self.study.outcomes[self.outcome].family
        return halfnormal(usual_difference(self.estimand, family, self.study.scale(self.outcome)))

    def value(self, values: Values, xp: Any) -> Any:
        """The estimand under parameters (...,), on its scale. xp: `numpy` or `pytensor.tensor`"""
        number: Any = self.estimand.of(_Population(self.study, values, xp))
        if self.link.additive:
            return number
        return xp.log(number) - (xp.log1p(-number) if self.link.logistic else 0.0)

    @cached_property
    def default(self) -> Default:
        """What the priors say of it that the study has otherwise."""
        rng = np.random.default_rng(SEED)
        values = draw_values(self.study, rng, (DRAWS,))
        with np.errstate(all="ignore"):
            drawn = np.broadcast_to(self.value(values, np), (DRAWS,))
        drawn, own = drawn[np.isfinite(drawn)], values[self.outcome]
        where = f"evidence.{self.names[0]}"
        if len(drawn) < DRAWS / 2:
            what = "is hardly ever a number under the priors of this study"
            raise UsageError(f"{where}.what", what, mend="state narrower priors")
        if np.ptp(drawn) <= NOTHING * np.abs(drawn).max():
            what = "is about what the priors of this study hold as known"
            raise UsageError(where, what, mend="state another prior than constant, or leave it out")
        if len(drawn) == DRAWS:
            at, per = _as_a_sum(drawn, own)
            exact = _exactly(at, [(Normals.of(self._prior(name)), b) for name, b in per.items()])
            if exact is not None:
                return Default(exact, 0.0, at, per)
        else:
            at, per = 0.0, {}
        close = close_to_draws(drawn)
        return Default(close.normals, close.distance, at, per)

    def _prior(self, name: str) -> Prior | None:
        return inventory(self.study)[self.outcome][name].own

    @cached_property
    def analysis(self) -> MetaAnalysis:
        """The meta-analysis; theta has a normal prior with the mean and SD of the default one."""
        default = self.default.normals
        return meta_analysis(self.told, Normals.one(default.mean, default.sd), self.tau)

    @cached_property
    def map(self) -> Close:
        """The meta-analytic predictive prior, as a mixture of few components."""
        return close_to(self.analysis.predictive)

    def robust(self, like_ours: float | None = None) -> Normals:
        """The prior of the estimand, with another weight where one is given."""
        weight = self.like_ours if like_ours is None else like_ours
        return self.map.normals.mixed(weight, self.default.normals)

    def log_ratio(self, x: Any, xp: Any = np, spread: Any = 1.0) -> Any:
        """The log of that prior over the default one, at x. spread: what every default prior is widened by

        Where the default one is an approximation, its far ends are not known: there what was published counts no more
        than it does anywhere between.
        """
        w = self.like_ours
        if w == 0:
            return 0.0 * x
        ratio = self.map.normals.log_density(x, xp) - self.default.normals.log_density(x, xp, spread)
        if self.default.distance > 0:
            ratio = xp.minimum(ratio, self.most(FAR))
        return ratio if w == 1 else xp.logaddexp(np.log(w) + ratio, np.log1p(-w))

    def most(self, far: float) -> float:
        """The largest log MAP / pi_0, but for a share of the default prior at either end."""
        known, default = self.map.normals, self.default.normals
        x = np.linspace(default.quantile(far), default.quantile(1 - far), 4001)
        x = np.concatenate([x, (inside := known.grid())[(inside >= x[0]) & (inside <= x[-1])]])
        return float(np.max(known.log_density(x) - default.log_density(x)))

    def log_density(self, values: Values, xp: Any = np, spread: Any = 1.0) -> Any:
        """(...,) by how much parameters are more likely by what was published."""
        return self.log_ratio(self.value(values, xp), xp, spread)

    @property
    def moves(self) -> frozenset[str]:
        """The parameters that could move it, by full name."""
        own = self.default.per or inventory(self.study)[self.outcome]
        return frozenset(f"{self.outcome}.{name}" for name in own)

    @property
    def direct(self) -> bool:
        """Whether parameters can be drawn given the estimand: it is a sum of normal ones, or a single one."""
        return len(self.default.per) == 1 or (bool(self.default.per) and self.default.distance == 0)

    def given(self, values: dict[str, dict[str, Array]], rng: np.random.Generator) -> None:
        """Move draws of the default priors so that the estimand has its own; what is independent of it stays.

        Each parameter takes the part of the move that it has in the variance (Matheron's rule for normal variables).
        """
        own, per = values[self.outcome], self.default.per
        now = self.value(values, np)
        moved = self.robust().draw(rng, np.size(now)).reshape(np.shape(now)) - now
        variance = {name: n.sd**2 if (n := Normals.of(self._prior(name))) else 1.0 for name in per}
        total = sum(b**2 * variance[name] for name, b in per.items())
        for name, b in per.items():
            own[name] = own[name] + (1 / b if len(per) == 1 else b * variance[name] / total) * moved

    @property
    def bound(self) -> float:
        """The largest `log_ratio` of nearly all draws of the default priors."""
        return float(np.logaddexp(np.log(self.like_ours) + self.most(FAR), np.log1p(-min(self.like_ours, 1 - 1e-16))))


@dataclass(frozen=True, eq=False)
class _Population:
    """Levels of the average over patients, or of the average patient, as a function of population parameters."""

    study: Study
    values: Values
    xp: Any

    def level(
        self, outcome: str, time: Any, population: Population, summary: Summary | None, predicts: Predicts, given: Given
    ) -> Any:
        p, family, xp = predictors(self.study, outcome)[0], self.study.outcomes[outcome].family, self.xp
        columns = self._columns(given)
        eta = p.eta(float(time), self.values[outcome], {}, columns, xp)
        if family.binary:
            sd = self._spread(p, float(time), columns) if population == "population average" and p.effects else None
            if sd is None:
                return 1 / (1 + xp.exp(-eta))
            nodes, weights = ONE
            moved = eta[..., None] + sd[..., None] * nodes
            return xp.sum(weights / (1 + xp.exp(-moved)), axis=-1)
        return xp.exp(eta) if family.multiplicative else eta

    def _columns(self, given: Given) -> dict[str, Any]:
        """Design columns as given, else those of the reference patient."""
        base: dict[str, Any] = {}
        for name, value in given.items():
            levels = self.study.covariates[name].levels
            base |= coded(self.study, name, float(levels.index(str(value))) if levels else float(value))
        return with_products(self.study, base, self.study.covariates)

    def _spread(self, p: Predictor, time: float, columns: Mapping[str, Any]) -> Any:
        """(...,) the SD between patients at a time, on the link scale."""
        values = self.values[p.outcome]
        parts = [values[f"sd_{e.key}"] * p.loading(time, values, e, columns, self.xp) for e in p.effects]
        total = sum(part**2 for part in parts)
        for block in blocks(self.study):
            for pair in block.pairs():
                if {pair.first, pair.second} <= {*p.effects}:
                    i, j = p.effects.index(pair.first), p.effects.index(pair.second)
                    total = total + 2 * values[pair.name] * parts[i] * parts[j]
        return self.xp.sqrt(total)

    def share(self, *args: Any, **how: Any) -> Any:
        raise NotImplementedError("shares are no closed form of population parameters")

    event = stopped = share


def published(study: Study) -> tuple[Published, ...]:
    """What was published, one for each estimand, in the study's order."""
    return study.once(_published)


def _published(study: Study) -> tuple[Published, ...]:
    groups: list[list[str]] = []
    for name, e in study.evidence.items():
        group = next((g for g in groups if study.evidence[g[0]].estimand == e.estimand), None)
        if group is None:
            groups.append([name])
        else:
            group.append(name)
    return tuple(Published(study, tuple(g)) for g in groups)


def draw_known(study: Study, rng: np.random.Generator, size: tuple[int, ...] = ()) -> dict[str, dict[str, Array]]:
    """Draws of every parameter from the priors and what was published: outcome -> name -> (*size,).

    Raises UsageError where the two hardly ever agree, and that cannot be drawn directly.
    """
    known = [p for p in published(study) if p.like_ours > 0]
    if not known:
        return draw_values(study, rng, size)
    direct = [p for p in known if p.direct and not any(p.moves & other.moves for other in known if other is not p)]
    tried = [p for p in known if p not in direct]
    n, bound = int(np.prod(size)), sum(p.bound for p in tried)
    kept, have, spent = [], 0, 0
    while have < n:
        many = n if not tried else int(min(AT_ONCE, 1.2 * (n - have) * np.exp(min(bound, 50.0)) + 100))
        values = draw_values(study, rng, (many,))
        for p in direct:
            p.given(values, rng)
        with np.errstate(all="ignore"):
            log = np.broadcast_to(sum((p.log_density(values) for p in tried), np.zeros(())), (many,))
        good = np.flatnonzero(np.log(rng.random(many)) < log - bound) if tried else np.arange(many)
        kept.append({o: {k: v[good] for k, v in listed.items()} for o, listed in values.items()})
        have, spent = have + len(good), spent + many
        if spent > MOST and have < n:
            what = "lies where the priors of this study hold hardly anything possible"
            raise UsageError(f"evidence.{tried[0].names[0]}", what, mend="widen them, or look at `bayesmyo evidence`")
    return {
        o: {k: np.concatenate([part[o][k] for part in kept])[:n].reshape(size) for k in listed}
        for o, listed in kept[0].items()
    }


def _as_a_sum(drawn: Array, own: Mapping[str, Array]) -> tuple[float, dict[str, float]]:
    """What (n,) draws are as a sum of multiples of parameters; nothing where they are none."""
    free = {k: v for k, v in own.items() if np.ptp(v) > 0 and np.isfinite(v).all()}
    scale = {k: float(v.std()) for k, v in free.items()}
    columns = np.stack([np.ones(len(drawn)), *((v - v.mean()) / scale[k] for k, v in free.items())], axis=1)
    coefficients, *_ = np.linalg.lstsq(columns, drawn, rcond=None)
    if not np.abs(columns @ coefficients - drawn).max() <= NOTHING * (drawn.std() + np.abs(drawn).max()):
        return 0.0, {}
    per = {
        k: float(c) / scale[k] for k, c in zip(free, coefficients[1:], strict=True) if abs(c) > NOTHING * drawn.std()
    }
    at = float(coefficients[0]) - sum(b * float(free[k].mean()) for k, b in per.items())
    return at if abs(at) > NOTHING * drawn.std() else 0.0, per


def _exactly(at: float, parts: Sequence[tuple[Normals | None, float]]) -> Normals | None:
    """The distribution of a sum of multiples of independent parameters; None where one is no mixture of normals, or
    one of several is a mixture.
    """
    if not parts or any(n is None or (len(parts) > 1 and len(n.weights) > 1) for n, _ in parts):
        return None
    if len(parts) == 1:
        n, b = parts[0]
        return n.moved(at, b) if n is not None else None
    mean = at + sum(b * n.mean for n, b in parts if n is not None)
    return Normals.one(mean, float(np.sqrt(sum((b * n.sd) ** 2 for n, b in parts if n is not None))))


__all__ = ["Default", "Published", "draw_known", "published"]
