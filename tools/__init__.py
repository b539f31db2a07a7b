"""Tools beside the program, which make its wheel and the data it comes with; nothing of the program imports them."""

from __future__ import annotations

from collections.abc import Callable


def run(main: Callable[[], None]) -> None:
    """Run a program; where it is interrupted, end it as a signal does, and say so in a line."""
    try:
        main()
    except KeyboardInterrupt:
        print("interrupted; what was there before is still there")
        raise SystemExit(130) from None
