"""Strike datasets, one module a publisher, and the tables they share."""
