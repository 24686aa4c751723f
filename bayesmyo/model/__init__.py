"""What a study assumes, in NumPy alone: truths, what they predict, and how likely they make what was measured.

spec.py         what a study assumes, as one object: its submodels, parameters and blocks of effects
submodel.py     the contract of everything that has a likelihood
measured.py     a value at a visit: the submodel of an outcome
event.py        when something happens to a patient: the submodel of an event
published.py    what was published about an estimand: the prior that it has then
hazards.py      cumulative hazards by quadrature: where to look, and how much each look counts
normal.py       the algebra of normal effects: integrated out, drawn back, moved to where data want them
informed.py     effects around what a patient's own measurements say of them
residuals.py    residuals that hang together within a patient
truth.py        values for every parameter and effect: one truth, or one for each posterior draw
visits.py       cells as a family wants them, and design columns at visits
prediction.py   truth -> levels in outcome units, for each population
left.py         the same where those who left follow another course from their exit on
asked.py        what a prediction may be asked, checked
quadrature.py   averages over patients who could be drawn, exactly
new_patients.py many of them under every draw, evenly spread
marginal.py     how likely one patient's measurements are, the effects integrated out
integral.py     that integral, under many truths at once; given_effects.py: its integrand
conditional.py  one patient's effects given the own measurements
one_patient.py  what is predicted of that patient
simulate.py     Study + Truth + design -> patients that never were
planned.py      what a design and its scenarios come to, before any fit
data.py         Cohort -> arrays of measurements, as every likelihood is handed them, validated
"""

from bayesmyo.model.simulate import Simulated, simulate, simulate_scenario
from bayesmyo.model.truth import Truth

__all__ = ["Simulated", "Truth", "simulate", "simulate_scenario"]
