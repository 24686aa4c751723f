"""`python -m bayesmyo`: the same door."""

from bayesmyo.cli import command

command()
