"""Figures of a fit: each function draws one and returns it, a matplotlib Figure.

    bayesmyo.figures.time_course(fit, "cpk").savefig("cpk.pdf")

style.py         sizes, title and legend of all of them; colours.py
axes.py          labels, and scales on which an outcome can be read
parts.py         the outcome that was named, curves over time, the measurements themselves
trajectories.py  the population over time, patients behind
overview.py      the same of all outcomes on one strip, exits and events marked
groups.py        the population over time, group by group
patients.py      a panel for each patient
new_patient.py   one who was not in the fit, before and after each visit
predictive.py    the distribution of measurements against replicates
shares.py        zeros, ceilings, floors and limits against replicates
time_course.py   quantiles over time against new patients
residuals.py     around patients' own curves, over time and from visit to visit
calibration.py   of grades, and of yes and no
pit.py           each measurement in its prediction from all others
estimates.py     every estimand, its prior behind
forest.py        an estimand in each group of patients
prior_and_posterior.py  every parameter of an outcome, before the data and after
each_patient.py  an estimand in each patient
waterfall.py     how much each patient changed, the best first
events.py        when something happens, and the reasons for which patients leave
swimmer.py       each patient a lane: visits, events, exit
responses.py     categories of response, patient by patient
responses_by_visit.py  the same over time, the lost among them
tipping_curve.py an estimand, if those who left fared worse
influence.py     which patient carries a conclusion
priors.py        what the priors believe, before any data
evidence.py      what was published before, and the prior that it makes
drift_curves.py  the same over how far published numbers lie from the truth
power_curves.py  how often studies of so many patients meet their decisions
rank_differences.py  where the truth lies among the draws, in a calibration
catalogue.py     every figure of a fit by its name, for the command `figure`

Numbers are those of the rooms `assess` and `simulation`: a figure draws what a check judges. Patients go by pseudonyms.
Where a failed check forbids to say something of a fit, its figures say so above, and have no number of an answer.
"""

from bayesmyo.figures.calibration import calibration
from bayesmyo.figures.drift_curves import drift_curves
from bayesmyo.figures.each_patient import each_patient
from bayesmyo.figures.estimates import estimates
from bayesmyo.figures.events import cumulative_incidence, event_curve
from bayesmyo.figures.evidence import evidence
from bayesmyo.figures.forest import forest
from bayesmyo.figures.groups import groups
from bayesmyo.figures.influence import influence
from bayesmyo.figures.new_patient import new_patient
from bayesmyo.figures.overview import overview
from bayesmyo.figures.patients import patients
from bayesmyo.figures.pit import pit
from bayesmyo.figures.power_curves import power_curves
from bayesmyo.figures.predictive import predictive
from bayesmyo.figures.prior_and_posterior import prior_and_posterior
from bayesmyo.figures.priors import priors
from bayesmyo.figures.rank_differences import rank_differences
from bayesmyo.figures.residuals import residuals
from bayesmyo.figures.responses import responses
from bayesmyo.figures.responses_by_visit import responses_by_visit
from bayesmyo.figures.shares import shares
from bayesmyo.figures.swimmer import swimmer
from bayesmyo.figures.time_course import time_course
from bayesmyo.figures.tipping_curve import tipping_curve
from bayesmyo.figures.trajectories import trajectories
from bayesmyo.figures.waterfall import waterfall

__all__ = [
    "calibration",
    "cumulative_incidence",
    "drift_curves",
    "each_patient",
    "estimates",
    "event_curve",
    "evidence",
    "forest",
    "groups",
    "influence",
    "new_patient",
    "overview",
    "patients",
    "pit",
    "power_curves",
    "predictive",
    "prior_and_posterior",
    "priors",
    "rank_differences",
    "residuals",
    "responses",
    "responses_by_visit",
    "shares",
    "swimmer",
    "time_course",
    "tipping_curve",
    "trajectories",
    "waterfall",
]
