"""One immutable version of the records and all that follows from them: built, updated by a change, cached in files."""
