"""Whether the compiler is right: predictions beside counts and measurements; `python -m bench.compiler`."""
