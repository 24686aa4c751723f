"""Would a study of this size have told us?

grid.py         the cells of a power study, and its plan
own.py          each patient's own number: a fitted line, or the difference of two visits
mixed.py        the linear mixed model, by restricted maximum likelihood
comparators.py  what a small-sample frequentist analysis would have answered
rates.py        shares and means over replicates, with their Monte Carlo errors
operating.py    power, type I error, bias, coverage, errors of sign and magnitude
claims.py       what a claim would be worth, and errors at their worst
sequential.py   looks at the data on the way
predictive.py   futility by the predictive probability of success at the end
smallest.py     the smallest number of patients with a target power
search.py       the search for that number, or for the shortest follow-up
differences.py  what one schedule of visits gains over another
threshold.py    the probability that a rule should ask for, so that its type I error is at most alpha
words.py        all of that in sentences
answer.py       everything that a power study says
"""
