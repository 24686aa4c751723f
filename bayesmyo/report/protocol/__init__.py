"""A power study as a page for a protocol, in reading order.

summary.py    in plain language, and how far it is
question.py   what is to be estimated, and when the answer is yes
design.py     whom, and when; what is taken to be true
analysis.py   the model and its priors
power.py      how often each decision is met, and how many patients it takes
claims.py     what a claim would be worth
estimates.py  how well it would be known
again.py      how it was computed, and what to type
page.py       all of them
"""

from bayesmyo.report.protocol.page import power_page

__all__ = ["power_page"]
