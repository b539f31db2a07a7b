"""Steps that bring the file of an earlier version to the newest: a function a step, listed in `registry`."""
