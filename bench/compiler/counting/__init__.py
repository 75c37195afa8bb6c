"""The instrumented reference: what programs do, counted while they run."""
