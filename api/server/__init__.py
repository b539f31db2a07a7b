"""What a running worker holds: the live snapshot, its tiles, its state beside other workers."""
