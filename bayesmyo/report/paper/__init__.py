"""What a manuscript takes from a study, its table and its fit: tables and paragraphs to paste.

baseline.py     Table 1: who the patients are, by group
flow.py         patients in, left out, used, and how their follow-up ended
methods.py      what was done, as a paragraph; sample_size.py of a power study
manuscript.py   all of them together
latex.py word.py  as LaTeX, and as HTML that pastes into Word
"""
