"""The flat feature collections that clients read: feature types, columns, indexes."""
