"""Features as bytes: one module a format, all of them listed in `registry`; and the JSON Schema of what they hold."""
