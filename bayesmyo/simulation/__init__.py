"""Patients that never were.

replicate.py   truth -> cohort -> fit -> row: the one loop of every simulation study
"""
