"""Audit of the owner and parent columns of trackers of Global Energy Monitor."""
