"""The columns of GEM's trackers by meaning: every name of each field, compared without case, spaces and signs.

GEM writes one column in many ways: `Owner`, `Owners`, `owner(s)`; `GEM unit/phase ID`, `gem-phase-id`, `ProjectID`. A
name is compared by its letters and digits alone, so that `Unit_ID` and `unit-id` are `Unit ID`. A row may fill other
columns of a field than the next, as where sheets of several trackers were joined: the first that a row fills counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

#: Names of each field as folded text; those of a field that come first count before the others.
FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": (
            "comboid", "gemunitphaseid", "gemunitid", "gemphaseid", "unitphaseid", "unitid", "phaseid", "trackerid",
            "projectid", "pipelineid", "gempipelineid", "gemprojectid", "gemmineid", "mineid", "gemassetid", "assetid",
            "gogetid", "gemgogetid", "fieldid", "gemid", "id",
        ),
        "plant_id": (
            "gemlocationid", "locationid", "trackerloc", "gemplantid", "plantid", "gemterminalid", "terminalid", "pid",
        ),
        "url": (
            "url", "wiki", "wikiurl", "gemwiki", "gemwikipage", "gemwikipageurl", "gemwikiurl", "gemwikiurls",
            "wikipage", "wikipageurl", "wikilink", "gemwikilink", "gemwikipageeng", "wikiurlfield", "wikiurlproject",
            "gemurl", "urlen",
        ),
        "name": (
            "pipelinename", "coalterminalname", "terminalname", "plantname", "plantnameenglish", "plantprojectname",
            "powerplantname", "powerstationname", "minename", "assetname", "assetnameenglish", "gemassetnameenglish",
            "gemassetname", "nameenglish", "wikiname", "fieldname", "facilityname", "projectname", "projectnameenglish",
            "projecten", "project", "plant", "pipeline", "terminal", "mine", "name",
        ),
        "unit": (
            "segmentname", "unitname", "unitphasename", "phasename", "uniten", "unit", "plantphase", "phase", "segment",
        ),
        "local": (
            "projectloc", "plantnamelocal", "plantnamelocalscript", "plantnameotherlanguage", "nameotherlanguage",
            "assetnameotherlanguage", "projectnameinlocallanguagescript", "projectnameinlocallanguage",
            "projectnamelocallangscript", "plantnameinlocallanguagescript", "plantprojectnamelocal",
            "unitnamelocalscript", "projectlocalscript", "otherlanguageprimarypipelinename", "otherlanguagename",
            "minenamenoneng", "localname", "localnames",
        ),
        "other": (
            "otherenglishnames", "othernames", "otherplantnames", "otherplantnamesenglish", "plantnameother",
            "plantprojectnameother", "nameother", "alternativeassetnames", "alternativenames", "minenameakas",
            "coalterminalakas", "officialname", "projectother", "coalterminalnamedetailorother",
        ),
        "status": (
            "statustabular", "status", "operatingstatus", "plantstatus", "unitstatus", "phaseoperatingstatus",
            "projectstatus", "currentstatus", "operationalstatus", "statusdisplay", "statuslegend",
        ),
        "countries": (
            "countrylist", "areas", "countries", "countriesorareas", "countriesareas", "countryareas", "countryarea",
            "countryorarea", "country", "countryname", "hostcountry", "country1", "countryarea1", "area",
        ),
        "country2": ("country2", "countryarea2", "area2"),
        "country_from": ("startcountry", "startcountryorarea"),
        "country_to": ("endcountry", "endcountryorarea"),
        "owner": (
            "owner", "owners", "ownername", "ownernames", "ownerenglish", "ownersenglish", "ownernameenglish",
            "ownernamesenglish", "ownercompany", "ownercompanies", "projectowner", "projectowners", "ownedby",
            "ownership", "sponsor", "sponsors",
        ),
        "owner_ids": (
            "ownerentityids", "ownerentityid", "ownergementityid", "ownergementityids", "ownersgementityid",
            "ownersgementityids", "ownergemid", "ownergemids", "ownersgemid",
        ),
        "parent_ids": (
            "parententityids", "parententityid", "parentgementityid", "parentgementityids", "parentsgementityid",
            "parentgemid", "parentgemids",
        ),
        "parent": (
            "parent", "parents", "parentcompany", "parentcompanies", "parentname", "parentnames", "parentenglish",
            "parentsenglish", "parentnameenglish",
        ),
        "capacity": (
            "capacity", "capacitymw", "unitcapacitymw", "capacitymt", "capacitymtpa", "designcapacityttpa",
            "nominalcrudesteelcapacityttpa", "operatingnominalcrudesteelcapacityttpa", "steelcapacity",
            "cementcapacitymillionsmetrictonnesperannum", "installedcapacitymw",
        ),
        "capacity_unit": ("capacityunits", "capacityunit", "units", "capacitytable", "unitsofm", "originalunits"),
        "commodity": ("fueltype", "fuel", "fuel1", "commodity", "coaltype"),
        "technology": (
            "technology", "technologytype", "reactortype", "combustiontechnology", "turbineenginetechnology",
            "installationtype",
        ),
        "wkt": ("wktformat", "wkt", "geometry", "route", "routes", "geojson", "thegeom", "geom"),
        "lat": ("latitude", "lat", "latitudewgs84", "latwgs84", "ycoordinate"),
        "lon": ("longitude", "lng", "lon", "long", "longitudewgs84", "lonwgs84", "lngwgs84", "xcoordinate"),
        "latlon": ("coordinates", "latlon", "latlong", "latlng", "coordinateslatlon", "latitudelongitude"),
        "since": (
            "startyear", "startyearearliest", "startyear1", "actualstartyear", "unitstartyear", "productionstartyear",
            "openingyear", "commissioningyear", "commercialoperationdate", "firstgridconnection", "startdate",
        ),
        "until": (
            "retiredyear", "stopyear", "retirementyear", "retirementdate", "retireyear", "closingyear", "closureyear",
            "retireddate", "stopdate",
        ),
        "oil": ("productionoilmillionbbly", "prodoil"),
        "gas": ("productiongasmillionm3y", "prodgas"),
    }
)  # fmt: skip
#: Positions of the fields in the values of a row.
POSITIONS: Mapping[str, int] = MappingProxyType({field: position for position, field in enumerate(FIELDS)})
#: Columns whose words may say which tracker a row is of, the most telling first.
TYPE_COLUMNS = (
    "trackerdisplay", "trackerlegend", "trackercustom", "trackeracro", "tracker", "assettype", "facilitytype", "type",
)  # fmt: skip
#: Columns of the accuracy of a location, in order of precedence; trackers have more names with that ending.
ACCURACIES = ("routeaccuracy", "locationaccuracy", "coordinateaccuracy", "accuracy")
#: Units that the name of a capacity column states by its ending.
UNITS_OF_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "mw": "MW", "mtpa": "million t/y", "ttpa": "thousand t/y", "mt": "million t/y",
        "millionsmetrictonnesperannum": "million t/y",
    }
)  # fmt: skip
#: Kinds by a column that a row fills and only trackers of that kind have; the first that is there counts.
KINDS_BY_COLUMN: Mapping[str, str] = MappingProxyType(
    {
        "coalterminalname": "port-terminal", "gemterminalid": "port-terminal", "terminalname": "lng-plant",
        "pipelinename": "pipeline", "segmentname": "pipeline", "pipelineid": "pipeline", "lengthmergedkm": "pipeline",
        "minename": "mine", "gemmineid": "mine", "minetype": "mine", "designcapacityttpa": "mine",
        "reactortype": "nuclear-plant", "turbines": "hydro-plant", "riverwatercourse": "hydro-plant",
        "binational": "hydro-plant", "country1capacitymw": "hydro-plant", "steelcapacity": "steelworks",
        "ironcapacity": "steelworks", "nominalcrudesteelcapacityttpa": "steelworks", "steelproducts": "steelworks",
        "mainproductionequipment": "steelworks", "clinkercapacitymillionsmetrictonnesperannum": "factory",
        "cementcapacitymillionsmetrictonnesperannum": "factory", "discoveryyear": "oil-field",
        "productionstartyear": "oil-field", "productionoilmillionbbly": "oil-field",
        "productiongasmillionm3y": "oil-field", "wikiname": "oil-field", "gogetid": "oil-field",
        "gemgogetid": "oil-field", "primaryproducts": "chemical-plant",
        "combustiontechnology": "power-plant", "coaltype": "power-plant", "fueltype": "power-plant",
        "installationtype": "power-plant", "capacityrating": "power-plant",
    }
)  # fmt: skip
#: Words for an empty cell.
EMPTY = frozenset({"", "--", "-", "–", "nan", "none", "null", "n/a", "tbd", "not found", "not stated", "[not stated]"})
#: Columns of ownership tables per tracker, whose rows are paths of owners and no assets.
_OWNERSHIP = frozenset({"ownershippath", "immediateprojectowner", "immediateownerentityid"})
#: Beginnings of names that only GEM's files have, and such names.
_GEM_PREFIXES = (
    "gemunit", "gemphase", "gemlocation", "gemplant", "gemterminal", "gemmine", "gemasset", "gemproject", "gempipeline",
    "gemregion", "gemwiki", "gemid", "gemgoget", "tracker", "wikiurl",
)  # fmt: skip
_GEM_NAMES = frozenset(
    {
        "pipelinename", "terminalname", "coalterminalname", "minename", "unitname", "phasename", "segmentname",
        "unitphasename", "projectloc", "wiki", "wikiname", "statustabular", "plantphase", "gogetid",
    }
)  # fmt: skip


def _is_word(text: str) -> bool:
    """Whether a text only says of which type a geometry is, or that there is none."""
    return text.replace(" ", "").isalpha()


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """Return the letters and digits of a column name in small letters: `Owner(s) GEM_ID` is `ownersgemid`.

    Digits that are set high count as such, as in `m³`, and a number that keeps equal names apart does not count.
    """
    plain = name.replace("³", "3")
    return "".join(sign for sign in plain.casefold() if sign.isalnum())


@dataclass(frozen=True, slots=True)
class TrackerRow:
    """One row: its file and line, its values by field, empty where the row or file has none, and what tells its kind.

    ``types`` are its words in the columns of types, ``kind_column`` the column that it fills and only trackers of one
    kind have, ``capacity_column`` that of its capacity; both folded.
    """

    file: str
    line: int
    values: tuple[str, ...]
    types: tuple[str, ...]
    accuracy: str
    kind_column: str
    capacity_column: str

    def __getitem__(self, field: str) -> str:
        return self.values[POSITIONS[field]]

    def with_id(self, number: str) -> TrackerRow:
        """Return the row with a number."""
        at = POSITIONS["id"]
        return replace(self, values=(*self.values[:at], number, *self.values[at + 1 :]))


@dataclass(frozen=True, slots=True)
class TrackerColumns:
    """The columns of one header: by field, and those that tell the kind of a row or the accuracy of its place."""

    header: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]]
    types: tuple[str, ...]
    accuracies: tuple[str, ...]
    kind_columns: tuple[str, ...]
    names: frozenset[str]

    @classmethod
    def of(cls, header: Sequence[str]) -> TrackerColumns:
        """Find the columns of each field."""
        there: dict[str, str] = {}
        for name in header:
            there.setdefault(folded(name), name)
        fields = {field: tuple(there[name] for name in known if name in there) for field, known in FIELDS.items()}
        # A file of plants and their phases calls the plant's number plainly `id`, one of terminals `ProjectID`.
        above = next((name for name in ("id", "projectid") if there.get(name) in fields["id"][1:]), None)
        if above and not fields["plant_id"]:
            fields["plant_id"] = (there[above],)
            fields["id"] = tuple(name for name in fields["id"] if name != there[above])
        # A file of fields has them as units without a plant.
        if not fields["name"] and fields["unit"] and (fields["lat"] or fields["latlon"]):
            fields["name"], fields["unit"] = fields["unit"], ()
        accuracies = sorted(
            (name for name in there if name.endswith("accuracy")),
            key=lambda name: ACCURACIES.index(name) if name in ACCURACIES else len(ACCURACIES),
        )
        kind_columns = [name for name in KINDS_BY_COLUMN if name in there]
        # A fuel is what a plant burns, and what a field gives.
        kind_columns = [name for name in kind_columns if name != "fueltype" or len(kind_columns) == 1]
        return cls(
            tuple(header),
            {field: names for field, names in fields.items() if names},
            tuple(there[name] for name in TYPE_COLUMNS if name in there),
            tuple(there[name] for name in accuracies),
            tuple(there[name] for name in kind_columns),
            frozenset(there),
        )

    def __contains__(self, field: str) -> bool:
        return field in self.fields

    def row(self, file: str, line: int, cells: Mapping[str, str]) -> TrackerRow:
        """Return the fields of a row."""
        values: list[str] = []
        capacity_column = ""
        for field in FIELDS:
            filled = ""
            for name in self.fields.get(field, ()):
                text = cells.get(name, "").strip()
                if text and text.casefold() not in EMPTY and not (field == "wkt" and _is_word(text)):
                    filled = text
                    capacity_column = folded(name) if field == "capacity" else capacity_column
                    break
            values.append(filled)
        accuracy = ""
        for name in self.accuracies:
            if text := cells.get(name, "").strip():
                accuracy = text
                break
        kind_column = next((name for name in self.kind_columns if cells.get(name, "").strip()), "")
        types = tuple(cells.get(name, "").strip() for name in self.types)
        return TrackerRow(file, line, tuple(values), types, accuracy, folded(kind_column), capacity_column)

    @property
    def is_tracker(self) -> bool:
        """Whether the header is one of a tracker's: a name, something that a tracker says of it, and GEM's words."""
        if "name" not in self or self.names & _OWNERSHIP:
            return False
        has_owners = "owner" in self or "parent" in self
        return (self._has_names_of_gem and (has_owners or "status" in self)) or self._is_of_units

    @property
    def _is_of_units(self) -> bool:
        return "unit" in self and "status" in self and ("owner" in self or "parent" in self)

    @property
    def _has_names_of_gem(self) -> bool:
        return any(name in _GEM_NAMES or name.startswith(_GEM_PREFIXES) for name in self.names)
