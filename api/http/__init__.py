"""HTTP itself, as plain ASGI: limits, coding, conditional requests, links, problems, logs, metrics. Knows no record."""
