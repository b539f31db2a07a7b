"""What all readers share: the format descriptor, the builder of records, rejected rows."""
