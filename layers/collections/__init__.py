"""The flat feature collections that clients read: feature types, columns, geometry indexes, rendered forms."""
