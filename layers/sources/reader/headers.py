"""Column headers of a table, matched regardless of case and spacing."""

from collections.abc import Mapping, Sequence


def columns_of(header: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Which header stands for each field: the first of its known names that is there, whatever its case."""
    there = {name.casefold(): name for name in reversed(header)}
    found = {
        field: next((there[n.casefold()] for n in known if n.casefold() in there), None)
        for field, known in names.items()
    }
    return {field: name for field, name in found.items() if name is not None}
