"""The digest of a set of answers, whichever process found them, in which order, and in which files they stand.

It is the SHA-256 of the SHA-256 of each row, sorted. Rows that occur twice count twice. A sum of hashes would need no
sorting, but whoever may choose rows can make two sets of them have one sum (Wagner 2002, A Generalized Birthday
Problem); of sorted hashes that is as hard as for SHA-256 itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

#: SHA-256 of rows, sorted: shape (n,), 32 bytes each.
Hashes = NDArray[np.bytes_]

_TYPE = np.dtype("S32")
#: Parts by the first byte in which hashes are sorted, so that few are in memory at once.
_PARTS = 256


def row_hashes(rows: Iterable[Sequence[Any]]) -> Hashes:
    """Hash rows and sort the hashes.

    Parameters
    ----------
    rows
        Values of each row as JSON has them. A row is hashed as compact JSON in UTF-8, without spaces, numbers in the
        fewest digits that read back the same.

    Returns
    -------
    Hashes
        Shape (n,).
    """
    hashed = b"".join(hashlib.sha256(orjson.dumps(row)).digest() for row in rows)
    return np.sort(np.frombuffer(hashed, _TYPE))


def digest_of(parts: Sequence[Hashes]) -> str:
    """Return the digest of the rows of several parts together, in hexadecimal.

    Parameters
    ----------
    parts
        Sorted hashes, such as arrays that are mapped from files: about one in 256 of all is in memory at once.
    """
    digest = hashlib.sha256()
    edges = np.array([bytes([first]) for first in range(_PARTS)], _TYPE)
    cuts = [np.append(np.searchsorted(hashes, edges), len(hashes)) for hashes in parts]
    for number in range(_PARTS):
        slices = [hashes[cut[number] : cut[number + 1]] for hashes, cut in zip(parts, cuts, strict=True)]
        digest.update(np.sort(np.concatenate([np.empty(0, _TYPE), *slices])).tobytes())
    return digest.hexdigest()
