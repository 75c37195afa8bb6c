"""Values of which only shape and data type are known."""
