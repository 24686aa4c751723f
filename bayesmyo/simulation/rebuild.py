"""Cohorts of many truths, each reduced to what an abstract prints, and the truths that print what was printed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from bayesmyo.components.numbers import listing
from bayesmyo.errors import UsageError
from bayesmyo.meta.rebuild import Expected, Scores, adjusted, at_odds, redundant, resampled
from bayesmyo.model.printed import print_of, printed
from bayesmyo.model.simulate import recorded, simulate
from bayesmyo.model.truth import Truth, from_priors
from bayesmyo.model.unknowns import Unknowns
from bayesmyo.study.study import Study

Array = np.ndarray
Progress = Callable[[int, int], None]
CHUNK = 2000  # truths that are looked at together
CANDIDATES = 400  # looked at, at most, for one that is simulated
ROUNDS = (0.25, 0.25, 0.5)  # shares of the cohorts: of the priors, and twice of what is left of them
DRAWS = 1000  # of the answer
AGAIN = 300  # of them, whose cohorts are printed again
FEWEST = 100  # simulated cohorts in the neighbourhood, without which there is no answer


@dataclass(frozen=True, eq=False)
class Found:
    """The truths that print what was printed.

    draws: (draw, unknown) vectors; kept: of how many cohorts they are made
    """

    draws: Array
    kept: int


@dataclass(eq=False)
class Table:
    """Vectors of unknowns drawn from the priors, and what a cohort of each prints.

    vectors: (n, unknown); numbers: (n, number)
    """

    study: Study
    rng: np.random.Generator
    size: int
    progress: Progress = lambda done, of: None
    unknowns: Unknowns = field(init=False)
    vectors: Array = field(init=False)
    numbers: Array = field(init=False)
    simulated: int = 0

    def __post_init__(self) -> None:
        self.unknowns = Unknowns(self.study)
        truths = from_priors(self.study, self.rng, (round(ROUNDS[0] * self.size),))
        vectors = self.unknowns.vectors(truths, self.rng)
        self.vectors, self.numbers = self._printed(truths, vectors, np.arange(len(vectors)))

    def given(self, observed: Array) -> Found:
        """The truths that print (number,): of the table, and of more cohorts of those that have a chance of it."""
        told = np.delete(np.arange(len(observed)), redundant(self.numbers))
        vectors, numbers, regions = self.vectors, self.numbers, []
        for share in ROUNDS[1:]:
            scores = Scores.among(numbers[:, told])
            target = scores.of(observed[told])
            regions.append((Expected.fitted(vectors, scores.of(numbers[:, told])), target))
            kept = self._possible(vectors, regions)
            more = self._nearby(regions, round(share * self.size))
            vectors, numbers = (np.concatenate([x[kept], new]) for x, new in zip((vectors, numbers), more, strict=True))
            if len(vectors) < FEWEST:
                raise self._none(observed)
        scores = Scores.among(numbers[:, told])
        score, target = scores.of(numbers[:, told]), scores.of(observed[told])
        draws, weights = adjusted(vectors, score, target, Expected.fitted(vectors, score))
        return Found(draws[resampled(weights, DRAWS, self.rng)], len(draws))

    def printed_again(self, draws: Array) -> Array:
        """(n, number) what cohorts of some of the truths print that were found."""
        truths = ((v, self.unknowns.truth(v, self.rng)) for v in draws[self.rng.permutation(len(draws))])
        possible = [(v, t) for v, t in truths if t is not None][:AGAIN]
        rows = np.array([self._print(t, v) for v, t in possible])
        return rows[np.isfinite(rows).all(axis=1)]

    def _none(self, observed: Array) -> UsageError:
        """Why no truth prints such numbers: those that none prints by itself, else the two that are furthest apart."""
        numbers, mend = printed(self.study), "look at the units, and at typical and scale of the outcomes"
        alone = (observed < self.numbers.min(axis=0)) | (observed > self.numbers.max(axis=0))
        which, how = np.flatnonzero(alone), ""
        if not alone.any():
            scores = Scores.among(self.numbers)
            which, how = np.array(at_odds(scores.of(self.numbers), scores.of(observed))), " together"
        said = listing([f"{numbers[k].words}, {numbers[k].value:g}" for k in which])
        return UsageError(
            "published", f"prints what no truth gives that the priors hold possible{how}: {said}", mend=mend
        )

    def _possible(self, vectors: Array, regions: Sequence[tuple[Expected, Array]]) -> Array:
        """(n,) whether vectors have a chance by each regression so far."""
        return np.all([expected.possible(vectors, target) for expected, target in regions], axis=0)

    def _nearby(self, regions: Sequence[tuple[Expected, Array]], wanted: int) -> tuple[Array, Array]:
        """More truths, of those that have a chance, and what a cohort of each prints."""
        vectors, numbers, tried = [self.vectors[:0]], [self.numbers[:0]], 0
        while (missing := wanted - sum(map(len, vectors))) > 0 and tried < CANDIDATES * wanted:
            truths = from_priors(self.study, self.rng, (CHUNK,))
            drawn = self.unknowns.vectors(truths, self.rng)
            kept, rows = self._printed(truths, drawn, np.flatnonzero(self._possible(drawn, regions))[:missing])
            vectors.append(kept)
            numbers.append(rows)
            tried += CHUNK
        return np.concatenate(vectors), np.concatenate(numbers)

    def _printed(self, truths: Truth, vectors: Array, which: Array) -> tuple[Array, Array]:
        """Some of the vectors with what a cohort of each prints, without those of which it would print no number."""
        rows = np.full((len(which), len(printed(self.study))), np.nan)
        for row, k in enumerate(which):
            rows[row] = self._print(truths.take(k), vectors[k])
            self.simulated += 1
            self.progress(self.simulated, self.size)
        kept = np.isfinite(rows).all(axis=1)
        return vectors[which][kept], rows[kept]

    def _print(self, truth: Truth, vector: Array) -> Array:
        assert self.study.published is not None
        design = self.unknowns.designed(vector)
        simulated = simulate(self.study, truth, self.rng, self.study.published.patients, design)
        with np.errstate(all="ignore"):
            return print_of(self.study, simulated, recorded(self.study, simulated.cohort))
