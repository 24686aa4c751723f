"""Would a study of this size have told us?

own.py          each patient's own number: a fitted line, or the difference of two visits
comparators.py  what a small-sample frequentist analysis would have answered
mixed.py        the linear mixed model, by restricted maximum likelihood
"""
