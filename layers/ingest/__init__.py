"""What a load will do to the store, worked out and checked before anything is written."""
