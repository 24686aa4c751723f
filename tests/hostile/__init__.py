"""Files made to do harm, each smaller than a megabyte, and how a command answers them.

tables.py      delimited text
workbooks.py   .xlsx
parquets.py    Parquet
studies.py     TOML
answer.py      one of them, answered by a process of its own whose time and memory are measured

They are written by a seeded generator when a test asks for them; none is stored.
"""
