"""The patients: table -> Cohort, every row accounted for.

cohort.py       the Cohort, its measurements and its row accounting

sources.py      a path -> text cells: table.py (delimited), workbook.py, parquet.py; frame.py (a data frame)
sheets.py       which sheets of a workbook
parts.py        the tables of a cohort, visits and patients, joined
identity.py     patients' ids, and columns that would say who they are
cells.py        one text cell -> a number, a limit, missing, or why not
values.py       the cells of an outcome, converted and checked
times.py        numbers or dates -> time since the start of treatment
covariates.py   covariates of patients and visits, and what data can get wrong about them
fates.py        why a row is set aside; rows at one time
read.py         the verb: tables + Study -> Cohort
faults.py       faults of cells, one message for one mistake
notices.py      what a reader should know though nothing is wrong
codes.py        the catalogue of both

write.py        Cohort -> delimited text
evidence.py     what a table cannot tell, whatever the model
"""

from bayesmyo.cohort.cohort import Cohort, Measurements
from bayesmyo.cohort.read import read_cohort
from bayesmyo.cohort.write import clean_csv, to_csv

__all__ = ["Cohort", "Measurements", "clean_csv", "read_cohort", "to_csv"]
