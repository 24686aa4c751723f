"""How large whatever is read may be, and how long whatever is waited for may take: all of it here, and checked before
it is understood.

Together they hold a promise: whatever is in a table, a workbook, a Parquet file or a study smaller than a megabyte, it
is answered within 20 seconds and 1.5 GB. bayesmyo is for cohorts of 10 to 50 patients; 2,000 patients with 20 visits
and 12 columns are still read.
"""

# --- a table, in whatever format
TABLE_BYTES = 50_000_000  # of its file
CELLS = 2_000_000
COLUMNS = 10_000
CELL = 100_000  # characters
NUMBER = 100  # characters of a number, a date or a limit: a longer text is none
NAME = 1_000  # characters of an id, a level or a column's name: a longer text is none

# --- a workbook: to read one of its cells takes fifty times as long as one of a text
WORKBOOK_CELLS = 100_000  # of all its sheets, empty ones among them; rows and shared texts, too
WORKBOOK_ELEMENTS = 25_000  # of any other kind: styles, names, merged cells, pieces of texts, drawings ...
WORKBOOK_SHEETS = 200
WORKBOOK_INFLATED = 60_000_000  # bytes of all its parts
WORKBOOK_PARTS = 2_000
WORKBOOK_DEPTH = 30  # elements within elements
WORKBOOK_ATTRIBUTES = 100  # of one element, CELL characters together

# --- a Parquet file: a megabyte of it may hold as many rows as fifty of a text
PARQUET_CELLS = 600_000
PARQUET_INFLATED = 100_000_000  # bytes of all its pages
PARQUET_FOOTER = 4_000_000  # bytes of what it says of itself
PARQUET_GROUPS = 5_000  # row groups
PARQUET_PAGES = 50_000
PARQUET_DEPTH = 10  # columns within columns

# --- a study
STUDY_BYTES = 1_000_000
STUDY_DEPTH = 10  # tables within tables, and parts of a dotted key
STUDY_NUMBER = 1_000  # characters of a number, or of a key without quotes
STUDY_TEXT = 10_000  # characters of a text; NAME of a key in quotes
LARGEST, SMALLEST = (
    1e30,
    1e-30,
)  # of a number, in a study and in a table, unless it is zero: its square can still be computed with
STUDY_MOST = 200  # of a table, or values of a list
STUDY_MOST_OF = {"outcomes": 30, "covariates": 100}
STUDY_COEFFICIENTS = 300  # of the covariates and moderators of one outcome
STUDY_VISITS = 1_000  # that are planned of one patient
STUDY_PATIENTS = 100_000  # of a simulated cohort

# --- a stored fit
FIT_BYTES = 4_000_000_000  # of its file, and of the arrays in it

# --- a folder of simulation results
PLAN_BYTES = 200_000_000  # of plan.json
PART_BYTES = 2_000_000_000  # of a table of rows, and of what it unpacks to
NOTE_BYTES = 100_000  # of what says who is at work, or where a scheduler is

# --- JSON, wherever it is read
JSON_DEPTH = 50  # lists and tables within each other

# --- messages
FAULTS = 20  # of a table; how many more there are is said
STUDY_FAULTS = 50  # of a study
LISTED = 50  # words that may be written in a place; how many more there are is said
COMPARED = 80  # characters of a word that is compared with those that may have been meant, of which there may be
CANDIDATES = 200
SUGGESTIONS = 100  # faults of one column, for each of which the word that was meant is looked for

# --- a network
ANSWER = 20  # seconds within which a scheduler answers
WORKERS_ANSWER = 120  # seconds within which its workers do, which load what computes meanwhile
GREETING = 100_000  # bytes of the first thing that it says


def beyond(value: float) -> bool:
    """Whether a number is larger, or closer to zero without being zero, than anything that is measured or declared."""
    return abs(value) > LARGEST or 0 < abs(value) < SMALLEST
