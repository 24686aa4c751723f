"""The words: results as a reader meets them.

terminal.py   tables and sentences for a terminal; understood.py a study and a table, before anything is fitted
progress.py   bars while something long goes on
documents.py  the JSON documents that other programs read

A page to show:

results.py    all that it says, computed once
sections/     one file for each section: results -> plain blocks
blocks.py     what sections are made of
numbers.py    how numbers are written, in sentences and tables alike
pictures.py   figures as SVG
page.py       sections put together
protocol/     the page of a power study, from the same blocks
html.py, page.html, page.css, markdown.py, tables.py    written
"""
