"""The generic formats: tables, features and JSON of any publisher, read by a column mapping, and drafts of mappings."""
