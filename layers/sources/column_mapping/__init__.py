"""Anyone's table by a declared column mapping."""
