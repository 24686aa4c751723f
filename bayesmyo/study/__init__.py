"""The question: TOML <-> Study.

study.py        the Study, its tables and the clinical scale of each outcome
design.py       its tables for simulation: a design, and scenarios
parameters.py   every parameter with its name, unit and prior
read.py         TOML text -> Study, every fault at once
check.py        what a well-formed study may still get wrong (check_*.py: its data, outcomes, covariates ...)
dates.py        calendar dates as a study declares them
write.py        Study -> TOML text, and its hash
predictors.py   its linear predictors, and the blocks of effects that are correlated
covariates.py   covariates as columns of the design
describe.py     a study in words and in formula (in_r: as lme4 and brms would write it)
clean.py        the table as it was read: its columns, its levels, and the study that reads it
bundled.py      the studies that ship with bayesmyo
template.py     the commented study and example table of `bayesmyo init`
"""

from bayesmyo.study.bundled import find_study, studies
from bayesmyo.study.design import Scenario
from bayesmyo.study.read import parse_study, read_study
from bayesmyo.study.study import Outcome, Study

__all__ = ["Outcome", "Scenario", "Study", "find_study", "parse_study", "read_study", "studies"]
