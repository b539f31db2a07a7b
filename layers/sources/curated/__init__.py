"""The TOML records in `layers/records/` (data only)."""
