"""From values to HTTP responses: negotiation, validators, errors, tiles."""
