"""`python -m bench.compiler`."""

from .command import main

if __name__ == "__main__":
    main()
