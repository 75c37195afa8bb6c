"""Finds the task type of a function, an annotation or a task."""
