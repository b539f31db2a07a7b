"""What a response holds beside its features: links, counts, paging and licence, for every format alike."""

from dataclasses import dataclass

from api.requests.crs import CRS84, Crs


@dataclass(frozen=True)
class Telling:
    """How features are told: the coordinate system, the properties (None: all) and whether with their geometry."""

    crs: Crs = CRS84
    properties: tuple[str, ...] | None = None
    geometry: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether features are told as they are kept: in lon/lat, with everything."""
        return self.geometry and self.crs is CRS84 and self.properties is None
