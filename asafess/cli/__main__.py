"""``python -m asafess.cli``."""

from asafess.cli import main

main()
