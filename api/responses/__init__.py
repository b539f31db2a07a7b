"""From a value to an HTTP response: negotiation, validators, errors, tiles."""
