"""The words: results as a reader meets them.

terminal.py   tables and sentences for a terminal
progress.py   bars while something long goes on
documents.py  the JSON documents that other programs read
"""
