"""Answers as plain JSON values; the one source for HTTP, terminal, pages and reports."""
