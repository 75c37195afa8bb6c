"""Optimizations, one file each: a deciding half and an acting half."""
