"""The words: results as a reader meets them.

blocks.py     paragraphs, tables, figures, lists: what everything that is shown is made of, as plain data
numbers.py    how their numbers are written, in sentences and tables alike

Blocks are made:

answered.py   of what a fit answers; its cells are those of the page too
understood.py of a study and a table, before anything is fitted
one_patient.py of one new patient, and the page of one
simulated.py  of a power study and a calibration
sections/     of a page: one file for each section, results -> blocks
protocol/     of the page of a power study
paper/        what a manuscript takes: Table 1, flow of patients, methods, sample size
results.py    all that a page says, computed once; draws.py numbers of draws that only a page shows
pictures.py   figures as SVG
page.py       sections put together

and shown, by three renderers:

terminal.py   columns.py tables no wider than it; progress.py bars while something long goes on
html.py       with page.html, page.css
markdown.py

Other programs read documents.py (JSON) and tables.py (CSV).
"""
