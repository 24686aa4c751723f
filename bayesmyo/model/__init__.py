"""What a study assumes, in NumPy alone: truths, what they predict, and how likely they make what was measured.

truth.py        values for every parameter and effect: one truth, or one for each posterior draw
visits.py       truth -> linear predictors of what was measured, visit by visit
prediction.py   truth -> levels in outcome units, for each population
asked.py        what a prediction may be asked, checked
quadrature.py   averages over patients who could be drawn, exactly
new_patients.py many of them under every draw, evenly spread
marginal.py     how likely one patient's measurements are, the effects integrated out
simulate.py     Study + Truth + design -> patients that never were
planned.py      what a design and its scenarios come to, before any fit
data.py         Cohort -> arrays of measurements, as every likelihood is handed them, validated
"""

from bayesmyo.model.simulate import Simulated, simulate, simulate_scenario
from bayesmyo.model.truth import Truth

__all__ = ["Simulated", "Truth", "simulate", "simulate_scenario"]
