"""Probabilities from which a proposed match is published or shown."""

#: From this probability on, an undecided best candidate is published as probable: of those, 19 in 20 were right
#: out of fold, half of the strikes having had their right asset taken out of the layer (docs/matching.md).
PUBLISH_FROM = 0.7


#: From this probability on, a candidate is shown at all: below it, fewer than 1 in 100 were right.
SHOW_FROM = 0.05
