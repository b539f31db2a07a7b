"""Answers as JSON values, the only source of HTTP, terminal, pages and reports; none of them reads an answer itself."""
