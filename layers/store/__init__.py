"""The durable truth: records, history and derived tables in one database, a file or a server's, behind one class."""
