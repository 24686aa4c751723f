"""The commented study that `bayesmyo init` writes; its example table is simulated from it."""

TEMPLATE = """\
# {name}: a study for bayesmyo. Edit it, then: bayesmyo validate {name}.toml {name}.csv
# The table has one row per visit; an empty cell (or NA) means that nothing was measured.

[study]
title = "{name}"
patient = "patient"                       # the column that says who
time = {{ column = "month", unit = "month", label = "Months since first treatment", typical = 24 }}
                                          # typical: a usual follow-up; default priors of slopes and half-times rest on it
treatment = "the new treatment"           # a change is called "during the new treatment"
interval = 0.95                           # of every printed interval, equal-tailed
correlate = "within outcomes"             # or "across outcomes", or "none": are a patient's effects correlated?

# [data]                                  # only where the table needs it
# decimal = ","                           # the delimiter is then ";", unless stated
# missing = ["NA", "ND"]

# One table per outcome. `typical` and `scale` set the default priors: say what is plausible before
# treatment, and how far patients differ, from what you knew before these data. `bayesmyo validate` prints the priors.

[outcomes.strength]
column = "strength"
label = "Muscle strength"
unit = "points"
better = "higher"                         # or "lower"
typical = 50
scale = 10                                # between-patient SD, in points
minimum = 0                               # values outside are refused
maximum = 100
family = {{ kind = "gaussian" }}            # or "ordered_beta" with its ends, "cumulative", "poisson" ...: see docs/vocabulary.md
trajectory = {{ kind = "linear" }}          # or "plateau", "log", "spline" ...; {{ kind = "linear", origin = 6 }} moves time zero
effects = ["intercept", "slope"]          # what patients differ in
# covariates = ["group"]                  # shift the level; moderators = ["group"] shift the change

# [covariates.group]
# levels = ["A", "B"]                     # the first is the reference; a numeric covariate has typical and scale instead

[outcomes.enzyme]
column = "enzyme"
label = "Muscle enzyme"
unit = "IU/L"
better = "lower"
typical = 800
scale = 2.5                               # a ratio, because lognormal works on the log
family = {{ kind = "lognormal" }}
trajectory = {{ kind = "plateau" }}         # start, asymptote and half_time
effects = ["start", "asymptote"]
censoring = "as typed"                    # cells such as <20 and >2000 are limits, not measurements
# priors = {{ half_time = "lognormal(1.1, 0.5)", sigma = "halfnormal(0.5)" }}

# What is asked. population: "population average", "these patients", "average patient" or "new patient".

[estimands.strength_change_12]
kind = "change"                           # or "level", "ratio", "slope"
outcome = "strength"
from = 0
to = 12
population = "population average"

[estimands.enzyme_ratio_12]
kind = "ratio"
outcome = "enzyme"
from = 0
to = 12
population = "population average"

[decisions.enzyme_halved]
kind = "probability"
estimand = "enzyme_ratio_12"
below = 0.5
probability = 0.90

# What only you know; `bayesmyo report` prints it, and NOT STATED for what is left out. Write it before the data are seen, where you can.

# [report]
# goal = "..."                            # also why_bayesian, design, setting, dates, eligibility, data, follow_up
# missing_data = "..."                    # what is assumed of what is missing
# priors = "..."                          # why typical, scale and stated priors are what they are; a stated prior needs this
# decisions = "..."                       # who set the rules and thresholds, and when
# multiplicity = "..."
# prespecified = "..."                    # and deviations
# limits = "..."                          # without a control group: what else may have caused the change

# [report.estimand]                       # the five attributes of ICH E9(R1)
# treatment = "..."
# population = "..."
# variable = "..."
# intercurrent_events = "..."             # each with the strategy that deals with it
# summary = "..."

# What a simulated cohort looks like, and a truth to simulate it from (levels in outcome units, SDs on the model's scale).

[design]
patients = 15
follow_up = {{ mean = 24, sd = 12, maximum = 60 }}
visits = {{ first = [0, 1, 3, 6], then_every = 6, jitter = 0.3 }}
loss = {{ hazard = 0.005 }}
missing = 0.05

[scenarios.improves]

[scenarios.improves.strength]
intercept = 50
slope = 0.5
sd_intercept = 8
sd_slope = 0.25
correlation = 0.0
sigma = 4

[scenarios.improves.enzyme]
start = 800
asymptote = 200
half_time = 3
sd_start = 0.8
sd_asymptote = 0.5
correlation = 0.2
sigma = 0.3
"""


def template(name: str) -> str:
    """The text of an example study called `name`."""
    return TEMPLATE.format(name=name)
