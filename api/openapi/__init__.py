"""The API definition, derived from the same parameter tables that requests are read with."""
