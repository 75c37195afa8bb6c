"""The commands, as `python -m asafess`."""

from asafess.cli import main

main(prog_name="asafess")
