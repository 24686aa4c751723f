"""Patients that never were.

replicate.py   truth -> cohort -> fit -> row: the one loop of every simulation study
ranks.py       where the truth lies among the draws, for simulation-based calibration
"""
