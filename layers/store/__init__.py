"""The durable truth: records, history and derived tables in one file, behind one class."""
