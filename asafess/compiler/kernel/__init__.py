"""What a Numba kernel costs, read from its typed intermediate representation. Loaded when first used."""
