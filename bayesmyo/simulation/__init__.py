"""Patients that never were.

cell.py        whose truth, how many patients under which design, who analyses them
plan.py        the cells of a simulation study, and how often and how each is replicated
calendar.py    what is known at a date of patients who come one after another
replicate.py   truth -> cohort -> fit -> row: the one loop of every simulation study
row.py         what one replicate says
agenda.py      what is still to be done, by whom next, and where a cell may stop
run.py         what is missing -> workers -> the folder
pool.py        what is asked of whoever does the work, and this process alone
workers.py     processes of this machine, or those of a dask scheduler (cluster.py); compile_cache.py where each
               compiles
store.py       a folder of results, which survives whatever is killed; header.py its plan.json, parts.py its Parquet,
               lock.py its owner
merge.py       shards of one plan, joined
given.py       truths from a fit
options.py     what a simulation study is asked for, each option stated once; values.py the kinds of values that options
               have
studies.py     a simulation study in one call
calibration/   do intervals hold what they promise?
power/         would a study of this size have told us?
"""
