"""What leaves the atlas as a file: printed maps, a one-file web map and tables. Pure functions over frames."""


class ExportError(ValueError):
    """A file that cannot be made as asked; the message says what was expected."""
