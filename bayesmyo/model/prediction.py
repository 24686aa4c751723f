"""Levels in outcome units for a population, from a Truth: draws of a posterior, or a scenario."""

from collections.abc import Sequence

from bayesmyo.model.asked import known_event
from bayesmyo.model.levels import Levels
from bayesmyo.model.stopped import Stopped


class TruthPrediction(Levels):
    """Levels in outcome units under a Truth: (chain, draw) each for a posterior, a single number for a scenario.

    seed: fixes the new patient (one for each draw, the same at every time and in every estimand) and its measurements
    events: what is known of events of these patients, by name; of others, nothing (default: of none)
    among: a share is counted as finely as if there were so many truths (default: as many as there are). A truth that is
        ranked among draws is counted as they are: a share of 1 in 10,000 would lie above most draws of the very same
        share, counted in 1,000 patients

    >>> fit.prediction.level("cpk", [0, 6, 12], "population average").shape
    (4, 1000, 3)
    """

    def stopped(self, events: Sequence[str]) -> Stopped:
        """The same where each patient stands, from the first of some events on, at the level there: what has happened
        to these patients is known, as far as `events` tells, and what has not comes when the own effects say.
        """
        for event in events:
            known_event(self.study, event)
        return Stopped(self, tuple(events))


__all__ = ["TruthPrediction"]
