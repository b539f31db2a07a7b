"""From somebody's file to records, with every problem by row. One folder or module a publisher; none imports others."""
