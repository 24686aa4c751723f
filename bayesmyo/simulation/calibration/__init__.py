"""Do intervals hold what they promise?

grid.py        the cells of a calibration, and its plan
ranks.py       where the truth lies among the draws
posterior.py   the same patients measured once more: calibration given data
envelope.py    how far an empirical distribution may be from a uniform one
uniformity.py  whether ranks are uniform
coverage.py    coverage and bias of one quantity
verdict.py     all of a simulation study, and in a sentence
"""
