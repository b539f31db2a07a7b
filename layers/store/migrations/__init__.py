"""Steps that bring the file of an earlier version to the newest: one module a step, listed in `registry`."""
