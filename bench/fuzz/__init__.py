"""Hostile files for every reader: valid files, their structure changed by lot, read in a watched process."""
