"""A program's task groups with types, loads and sources: as rows, table and picture."""
