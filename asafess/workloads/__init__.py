"""Programs made of annotated tasks; they run on any Dask scheduler."""
