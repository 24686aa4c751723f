"""The patients: table -> Cohort, every row accounted for; Truth, and Truth -> simulated Cohort.

cohort.py       the Cohort, its measurements and its row accounting
table.py        a delimited file as text cells, or why it cannot be one
cells.py        one text cell -> a number, a limit, missing, or why not
faults.py       faults of cells, one message for one mistake
covariates.py   covariates of patients and visits, and what data can get wrong about them
notices.py      what a reader should know though nothing is wrong
read.py         table + Study -> Cohort
write.py        Cohort -> delimited text
truth.py        values for every parameter and effect: one truth, or one for each posterior draw
prediction.py   truth -> levels in outcome units, for each population
simulate.py     Study + Truth + design -> patients that never were
"""

from bayesmyo.cohort.cohort import Cohort, Measurements
from bayesmyo.cohort.read import read_cohort
from bayesmyo.cohort.simulate import Simulated, simulate, simulate_scenario
from bayesmyo.cohort.truth import Truth
from bayesmyo.cohort.write import to_csv

__all__ = ["Cohort", "Measurements", "Simulated", "Truth", "read_cohort", "simulate", "simulate_scenario", "to_csv"]
