"""The only room that imports Numba: arrays in, arrays out; a NumPy reference beside each."""
