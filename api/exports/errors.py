"""What is raised where a file cannot be written."""


class ExportError(ValueError):
    """A file that cannot be written as requested; the message says what was expected."""
