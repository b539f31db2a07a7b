"""What files say of their data: licence, attribution, version, head of the history, and what is withheld."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from api.http.json import Json
from api.serializers.policy import summary, withheld
from api.settings import Settings
from layers.corrections.log import PublishedVersion
from layers.store.history_chain import EMPTY, Head
from layers.store.record_table import texts


@dataclass(frozen=True)
class FileMetadata:
    """What each file of one version of the data says of it.

    Parameters
    ----------
    licence
        Address of the licence of the records.
    attribution
        Who is to be named.
    data_date
        Day of the data.
    head
        Row of history that the data are of; ``None`` of records that are in no store.
    withheld
        Number of records that are withheld, or published in part, by reason and table.
    remarks
        The same in words.
    licences
        Publishers whose data has a licence of its own, by that licence.
    """

    licence: str
    attribution: str
    data_date: date
    head: Head | None
    withheld: Mapping[str, Mapping[str, int]]
    remarks: Sequence[str]
    licences: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, version: PublishedVersion, settings: Settings) -> FileMetadata:
        """Describe what is published of a store whose history ends at a head."""
        licences = defaultdict[str, set[str]](set)
        sources = version.snapshot.records.sources
        for key, licence in texts(sources, "licence"):
            if licence:
                licences[licence].add(sources[key].publisher)
        return cls(
            licence=settings.licence,
            attribution=settings.attribution,
            data_date=version.snapshot.data_date,
            head=None if version.head == EMPTY else version.head,
            withheld=withheld(version.disclosure),
            remarks=tuple(summary(version.disclosure)),
            licences={name: tuple(sorted(licences[name])) for name in sorted(licences)},
        )

    @property
    def values(self) -> Json:
        """All of it as JSON values; nothing is withheld where ``withheld`` is empty."""
        return {
            "license": self.licence,
            "attribution": self.attribution,
            "dataDate": self.data_date.isoformat(),
            "history": self.head and {"hash": self.head.hash, "at": self.head.at},
            "withheld": {reason: dict(counts) for reason, counts in self.withheld.items()},
            "remarks": list(self.remarks),
            "sourceLicenses": {name: list(publishers) for name, publishers in self.licences.items()},
        }

    @property
    def lines(self) -> Sequence[tuple[str, str]]:
        """All of it as names with texts, for forms that hold text alone."""
        head = self.head
        history = "none" if head is None else f"{head.hash}, {head.at or 'without a time'}"
        return (
            ("Licence", self.licence),
            ("Attribution", self.attribution),
            ("Day of the data", self.data_date.isoformat()),
            ("Version (head of the history)", history),
            ("Withheld", " ".join(self.remarks) or "Nothing."),
            *((f"Data under {name}", "; ".join(publishers)) for name, publishers in self.licences.items()),
        )

    @property
    def text(self) -> str:
        """All of it as lines of text."""
        return "\n".join(f"{name}: {text}" for name, text in self.lines)
