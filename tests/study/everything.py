"""A study that uses every word at once: covariates of all forms, a zero part, exposure, limits, thresholds,
correlations across.
"""

EVERYTHING = """
[study]
title = "Everything at once"
patient = "patient"
time = { column = "month", unit = "month", typical = 24 }
treatment = "IVIG"
correlate = "across outcomes"
correlation_prior = "lkj(3)"

[covariates.diagnosis]
column = "dx"
levels = ["DM", "PM", "IBM"]
shares = [0.5, 0.3, 0.2]

[covariates.sex]
levels = ["f", "m"]

[covariates.age]
unit = "years"
typical = 55
scale = 12
missing = "imputed"

[covariates.titre]
column = "titre0"
typical = 100
scale = 4
transform = "log"

[covariates.duration]
typical = 9
scale = 1
transform = "sqrt"

[covariates.season]
levels = ["summer", "winter"]
varies = "visits"

[covariates.age_sex]
product = ["age", "sex"]

[outcomes.power]
column = "power"
unit = "kg"
better = "higher"
typical = 40
scale = 10
family = { kind = "student_t" }
trajectory = { kind = "linear" }
covariates = ["diagnosis", "age", "season"]
moderators = ["sex", "age_sex"]
censoring = { above = 70, below = 20 }

[outcomes.grade]
column = "grade"
unit = "grade"
better = "higher"
scale = 2
family = { kind = "cumulative", coding = "mrc_plus", merge = [["0", "1", "2"]], shares = [0.1, 0.2, 0.2, 0.2, 0.2, 0.1] }
trajectory = { kind = "linear", transform = "sqrt" }
effects = ["intercept"]
priors = { thresholds = "ordered_normal(0, 4)" }

[outcomes.falls]
column = "falls"
unit = "falls per week"
better = "lower"
typical = 0.5
scale = 2
family = { kind = "poisson" }
trajectory = { kind = "plateau" }
effects = ["start", "asymptote", "half_time"]
covariates = ["titre"]
moderators = ["diagnosis"]
exposure = "weeks"

[outcomes.dose]
column = "dose"
unit = "mg"
better = "lower"
typical = 30
scale = 2
family = { kind = "hurdle_lognormal" }
trajectory = { kind = "piecewise", knots = [6] }
covariates = ["duration"]
map = { none = 0 }

[outcomes.dose.zero]
typical = 0.2
scale = 0.1
trajectory = { kind = "linear" }
effects = ["intercept"]
covariates = ["sex"]
correlate = true

[estimands.power_pm]
kind = "change"
outcome = "power"
from = 0
to = 12
given = { diagnosis = "PM", age = 60 }

[estimands.falls_by_sex]
kind = "ratio"
outcome = "falls"
from = 0
to = 12
contrast = { covariate = "diagnosis", level = "IBM", reference = "DM" }

[decisions.go]
kind = "probability"
estimand = "power_pm"
above = 0
probability = 0.9

[design]
patients = 40
follow_up = { mean = 24, sd = 12, maximum = 60 }
visits = { first = [0, 1, 3], then_every = 6, jitter = 0.3 }
missing = 0.1
exposure = { weeks = 4 }

[scenarios.one]

[scenarios.one.power]
intercept = 40
slope = 0.5
diagnosis_pm = -3
diagnosis_ibm = -6
age = -2
season_winter = -1
slope_sex_m = 0.1
slope_age_sex = -0.05
sd_intercept = 8
sd_slope = 0.2
correlation = -0.2
sigma = 3
nu = 5

[scenarios.one.grade]
slope = 0.4
sd_intercept = 1.5
threshold_1 = -3
threshold_2 = -1.5
threshold_3 = -0.5
threshold_4 = 0.5
threshold_5 = 2

[scenarios.one.falls]
start = 0.6
asymptote = 0.2
half_time = 3
titre = 1.2
asymptote_diagnosis_pm = 1.1
asymptote_diagnosis_ibm = 1.6
sd_start = 0.5
sd_asymptote = 0.4
sd_half_time = 0.3
correlation_start_asymptote = 0.3
correlation_start_half_time = -0.2
correlation_asymptote_half_time = 0.1

[scenarios.one.dose]
intercept = 30
slope_1 = 0.9
slope_2 = 0.98
duration = 1.1
zero_intercept = 0.2
zero_slope = 0.05
zero_sex_m = -0.3
sd_intercept = 0.4
sd_zero_intercept = 0.8
correlation = -0.5
sigma = 0.3

[scenarios.one.correlations]
power_intercept_grade_intercept = 0.5
power_slope_falls_asymptote = -0.3

[report]
goal = "To use every word."
limits = '''
None.
Really.'''

[report.estimand]
treatment = "All"
population = "All"
variable = "All"
intercurrent_events = "Treatment policy"
summary = "Mean"
"""
