"""Which records are the same thing, by identifier, by name or by judgement, and how they are merged."""
