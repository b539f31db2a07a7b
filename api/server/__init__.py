"""State of a running worker: the live snapshot, its tiles, its counts beside those of other workers."""
