"""For those who write an optimization: `check_optimization` holds it to the contract, in a test of their own."""

from asafess.testing.check import check_optimization as check_optimization

__all__ = ["check_optimization"]
