"""Whether this machine's clock can be right, by the time of the last change: the date of the data comes from clocks."""

from __future__ import annotations

from datetime import datetime, timedelta

from layers.model.messages import Message

#: Clocks of machines that write to one store may differ by so much.
TOLERANCE = timedelta(minutes=5)
#: So long after the last change either the data is old, or the clock is fast.
LONG = timedelta(days=366)


def clock_remark(last: datetime | None, now: datetime) -> Message | None:
    """Doubt a clock that is before the last change, or long after it; None where there is nothing to doubt.

    Which of two clocks was wrong, that of now or that of the last change, cannot be told from here: the date of the
    data stays that of the last change, and a change that is written is dated no earlier (`layers.store.writer`).

    Parameters
    ----------
    last
        When the last change was made, with a zone; None for an empty store.
    now
        What the clock shows, with a zone.
    """
    if last is None or -TOLERANCE <= now - last <= LONG:
        return None
    times = {"last": _day_and_time(last), "now": _day_and_time(now)}
    if now < last:
        return Message("store.clock-behind", times)
    return Message("store.clock-ahead", {**times, "n": (now - last).days})


def _day_and_time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
