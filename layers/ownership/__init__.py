"""Who owns or controls an asset on a day: the dated graph of stakes and what follows from it."""
