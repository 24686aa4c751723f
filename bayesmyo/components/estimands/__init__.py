"""Estimands: which number is asked for, in whom, and when.

To add one: copy `change.py` to a new file, write `value`, `unit`, `sentence` and `when`, say whether it `is_level` or a
`difference_on` some scale, and add its line to `ESTIMANDS`. One that looks at several outcomes is `share.py`. The
contract tests then ask: is it computed alike for a truth and for posterior draws, in every population.
"""

from bayesmyo.components.estimands.change import Change
from bayesmyo.components.estimands.criteria import Criteria, Criterion, all_met, free_words, in_words
from bayesmyo.components.estimands.estimand import POPULATIONS, Contrast, Estimand, Named, OfOutcome, Prediction
from bayesmyo.components.estimands.events import EventFree, ExpectedEvents, RestrictedMeanTime
from bayesmyo.components.estimands.level import Level
from bayesmyo.components.estimands.ratio import Ratio
from bayesmyo.components.estimands.share import Share
from bayesmyo.components.estimands.slope import Slope
from bayesmyo.components.estimands.time_to import TimeTo

ESTIMANDS: tuple[type[Estimand], ...] = (
    Level,
    Change,
    Ratio,
    Slope,
    Share,
    TimeTo,
    EventFree,
    RestrictedMeanTime,
    ExpectedEvents,
)

__all__ = [
    "ESTIMANDS",
    "POPULATIONS",
    "Change",
    "Contrast",
    "Criteria",
    "Criterion",
    "Estimand",
    "EventFree",
    "ExpectedEvents",
    "Level",
    "Named",
    "OfOutcome",
    "Prediction",
    "Ratio",
    "RestrictedMeanTime",
    "Share",
    "Slope",
    "TimeTo",
    "all_met",
    "free_words",
    "in_words",
]
