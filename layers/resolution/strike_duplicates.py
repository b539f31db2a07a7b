"""Duplicates of strikes: pairs that may be one event, with named reasons. A machine proposes; a person decides.

See docs/duplicates.md.
"""

from __future__ import annotations

from layers.decisions.identity import merge_groups
from layers.model.records import Records
from layers.resolution.linkage import DuplicateProposal, compare, proposals
from layers.resolution.resolve import apply_judgements
from layers.resolution.strike_blocking import DuplicateColumns, candidates
from layers.resolution.strike_comparison import COMPARISONS

#: Least probability of a pair that is proposed to a person.
PROPOSE_FROM = 0.6


def propose_duplicates(records: Records, from_score: float = PROPOSE_FROM) -> tuple[DuplicateProposal, ...]:
    """Find the pairs of strikes that may be one event, the likeliest first, each pair once.

    Parameters
    ----------
    records
        As stored; the judgements among them are applied first, and pairs judged different are left out, also where
        other strikes were merged into one of them since.
    from_score
        Least probability.

    Notes
    -----
    Pairs are compared only if they may be within two days of each other and are near, share a rare word, or, where
    one has no place, are of the same region. Every strike has a date.
    """
    pairs = candidates(DuplicateColumns.of(apply_judgements(records)))
    different = merge_groups(records)[0]["strikes"].apart()
    return proposals(compare(pairs, COMPARISONS, from_score), from_score, different)
