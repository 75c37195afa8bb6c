"""Measurements: one script per question, one harness for all of them."""
