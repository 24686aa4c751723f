"""The words: results as a reader meets them.

terminal.py   tables and sentences for a terminal
documents.py  the JSON documents that other programs read
"""
