"""What operations of NumPy, dask.array and pandas do to values of which only shape and data type are known."""
