"""What was known before the first patient, as mathematics: no study, no patient, NumPy and SciPy alone.

normals.py   mixtures of normal distributions, and the one that comes close to another
analysis.py  published numbers about one quantity -> what they say of it in the next study
worth.py     what a distribution is worth in patients
"""
