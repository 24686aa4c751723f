"""Do these patients contradict what was published of patients like them?"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.components.numbers import listing, significant
from bayesmyo.inference.fit import Fit
from bayesmyo.model.published import Published, published
from bayesmyo.study import describe

AGAINST = 0.1  # Bayes factor of being like the others, below which data and what is fully trusted contradict each other


@dataclass(frozen=True)
class PublishedNumbers:
    """By how much the data raise, or lower, the probability that these patients are exchangeable with those published.

    Before the data it is `like_ours`; after them it is the weight of the informative part of the robust mixture. Where that is
    below one, prior and data settle it themselves, and nothing fails.
    Reference: Schmidli et al. (2014), https://doi.org/10.1111/biom.12242.
    """

    name: str = "published numbers"

    def run(self, fit: Fit) -> CheckResult:
        rows = [(p, factor(p, fit)) for p in published(fit.study) if p.like_ours > 0]
        if not rows:
            return CheckResult(self.name, True, "Nothing that was published counts in this fit.", unjudged="nothing")
        bad = [p for p, k in rows if p.like_ours == 1 and k < AGAINST]
        sentences = [_sentence(fit, p, k) for p, k in rows]
        if bad:
            sentences.append(
                "It is fully trusted all the same: state a like_ours below 1, so that the data may settle it."
            )
        table = tuple(
            {"evidence": ", ".join(p.names), "like ours": p.like_ours, "after the data": after(p.like_ours, k),
             "bayes factor": k}
            for p, k in rows
        )  # fmt: skip
        return CheckResult(self.name, not bad, " ".join(sentences), table, tuple({p.outcome for p in bad}))


def factor(p: Published, fit: Fit) -> float:
    """The Bayes factor of the data for these patients being like those published, against the default priors.

    Of the posterior with weight w it is odds over prior odds; each draw belongs to the informative part with
    probability w MAP / (w MAP + (1 - w) pi_0).
    """
    values = {name: o.values for name, o in fit.truth.outcomes.items()}
    x = np.asarray(p.value(values, np)).reshape(-1)
    ratio = p.map.normals.log_density(x) - p.default.normals.log_density(x)
    if p.like_ours == 1:
        return float(1 / np.mean(np.exp(-ratio)))
    share = float(np.mean(special.expit(special.logit(p.like_ours) + ratio)))
    return share / max(1 - share, 1e-300) * (1 - p.like_ours) / p.like_ours


def after(like_ours: float, bayes_factor: float) -> float:
    """The probability of being like the others once the data are known."""
    return like_ours * bayes_factor / (like_ours * bayes_factor + 1 - like_ours)


def _sentence(fit: Fit, p: Published, k: float) -> str:
    sources = listing([e.source for e in p.evidence])
    said = f"{describe.number(fit.study, p.estimand).removeprefix('the ')} ({sources}): "
    times = f"{significant(max(k, 1 / k), 2)} times {'as' if k >= 1 else 'less'} likely"
    said = f"{said[:1].upper()}{said[1:]}these data are {times} if these patients are like those {'as' if k >= 1 else 'than'} if not"
    if p.like_ours == 1:
        return f"{said}."
    return f"{said}; the probability that they are was {p.like_ours:g} before, and is {after(p.like_ours, k):.2f} now."
