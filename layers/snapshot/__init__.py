"""One immutable version of everything above: built, updated by a change, written to disk and read back."""
