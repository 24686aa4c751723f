"""Patients that never were.

cell.py        whose truth, how many patients under which design, who analyses them
plan.py        the cells of a simulation study, and how often and how each is replicated
replicate.py   truth -> cohort -> fit -> row: the one loop of every simulation study
row.py         what one replicate says
calibration/   do intervals hold what they promise?
power/         would a study of this size have told us?
"""
