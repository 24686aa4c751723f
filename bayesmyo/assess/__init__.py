"""What a fit is worth, and what it says.

diagnostics.py   Monte Carlo errors of what is reported
checks/          one file per check, one result record
check.py         the verb `check`: Fit -> results
estimate.py      Fit -> every estimand, parameter and decision, by its draws
claims.py        the verb `estimate`: which of it may be said, and which decisions are met
withhold.py      what a failed check forbids to say
responses.py     how many of these patients have each category of response, the lost among them
correlations.py  how patients' starts and changes hang together, over outcomes
replicated.py    measurements of these patients, and of new ones, drawn from the model: what checks look at
refits.py        the model sampled again without a patient, or under other priors
reweight.py      draws of one posterior made draws of another
leave_one_out.py each patient left out: what the others say, and how well they predict the one
influence.py     the verb `influence`: which patient carries a conclusion
predict.py       the verb `predict`: one new patient; population.py how, predicted.py the results, unlike.py
                 whether it is one of the cohort, words_of_one.py what is said
tip.py           the verb `tip`: what if those who left fared worse; what_if.py what is asked, tipping.py when it tips
compare.py       the verb `compare`: which study predicts patients better
other_priors.py  what would be said under priors half and twice as wide, or centred elsewhere
priors.py        the verb `priors`: every prior of a study, stated or default
sensitivity.py   prior against data: would another prior have said something else
prior.py         what the priors believe, in clinical units
"""
