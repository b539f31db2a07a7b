"""What a record is: record types and the types of their columns, EDTF times, and the problems of an invalid record."""
