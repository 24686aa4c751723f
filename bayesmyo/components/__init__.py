"""The vocabulary: one word of a study file is one frozen dataclass in one file.

priors.py         the prior language, `"normal(0, 1)"`; distributions.py its words
correlation.py    the LKJ prior by partial correlations
component.py      what every word shares; the clinical scale; a trajectory's coefficient
families/         how an outcome is distributed around its expected value
trajectories/     how an outcome moves in time
estimands/        which number is asked for
decisions/        when the answer is yes
courses/          what becomes of patients who left
hazards/          how the rate of an event goes with time

Nothing here imports PyMC: a family is handed the module (`observe(pm, ...)`), a trajectory the array
module (`curve(..., xp)`). Each catalogue's `__init__` is its table of contents and says which file to copy.
"""
