"""The columns of GEM's trackers by meaning, and what a row of them is: names are compared without case and signs.

GEM writes one column in many ways: `Owner`, `Owners`, `owner(s)`; `GEM unit/phase ID`, `gem-phase-id`, `ProjectID`. A
name is compared by its letters and digits alone, so that `Unit_ID` and `unit-id` are `Unit ID`. A row may fill other
columns of a field than the next, as where sheets of several trackers were joined: the first that a row fills counts.

What a row is follows from the words of a type, the columns it fills, its name, its technology. A word that says the
type of a row counts before anything else, so that a terminal stays one whatever its columns are called. A column is
taken for one of types only if at least half of its words are known: elsewhere `type` says how a turbine works.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from layers.model.asset_kinds import ASSET_KINDS, TABLE

#: Names of each field as folded text; those of a field that come first count before the others.
FIELDS: Mapping[str, tuple[str, ...]] = {
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
}  # fmt: skip
#: Positions of the fields in the values of a row.
POSITIONS: Mapping[str, int] = {field: position for position, field in enumerate(FIELDS)}
#: Columns whose words may say which tracker a row is of, the most telling first.
TYPE_COLUMNS = (
    "trackerdisplay", "trackerlegend", "trackercustom", "trackeracro", "tracker", "assettype", "facilitytype", "type",
)  # fmt: skip
#: Columns of the accuracy of a location, in order of precedence; trackers have more names with that ending.
ACCURACIES = ("routeaccuracy", "locationaccuracy", "coordinateaccuracy", "accuracy")
#: Units that the name of a capacity column states by its ending.
UNITS_OF_NAMES: Mapping[str, str] = {
    "mw": "MW", "mtpa": "million t/y", "ttpa": "thousand t/y", "mt": "million t/y",
    "millionsmetrictonnesperannum": "million t/y",
}  # fmt: skip
#: Kinds by a column that a row fills and only trackers of that kind have; the first that is there counts.
KINDS_BY_COLUMN: Mapping[str, str] = {
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
}  # fmt: skip
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
        texts = {name: text for name, cell in cells.items() if (text := cell.strip())}
        values: dict[str, str] = {}
        capacity_column = ""
        for field in FIELDS:
            filled = (name for name in self.fields.get(field, ()) if texts.get(name, "").casefold() not in EMPTY)
            if field == "wkt":  # a word alone says of which type a geometry is, or that there is none
                filled = (name for name in filled if not texts[name].replace(" ", "").isalpha())
            name = next(filled, "")
            values[field] = texts.get(name, "")
            capacity_column = folded(name) if field == "capacity" else capacity_column
        accuracy = next((texts[name] for name in self.accuracies if name in texts), "")
        kind_column = next((name for name in self.kind_columns if name in texts), "")
        types = tuple(texts.get(name, "") for name in self.types)
        return TrackerRow(file, line, tuple(values.values()), types, accuracy, folded(kind_column), capacity_column)

    @property
    def is_tracker(self) -> bool:
        """Whether the header is one of a tracker's: a name, something that a tracker says of it, and GEM's words."""
        if "name" not in self or self.names & _OWNERSHIP:
            return False
        has_owners, has_status = "owner" in self or "parent" in self, "status" in self
        is_of_gem = any(name in _GEM_NAMES or name.startswith(_GEM_PREFIXES) for name in self.names)
        return (is_of_gem and (has_owners or has_status)) or ("unit" in self and has_status and has_owners)


def _folded_word(word: str) -> str:
    """Return a word of a type for comparison: `oil_and_gas_extraction_areas` is `Oil & Gas extraction area`."""
    return folded(word.replace("&", "and")).removesuffix("s")


#: Kinds of assets by GEM's words for them, folded.
KINDS: Mapping[str, str] = {_folded_word(word): kind for word, kind in TABLE.kinds_by("gem_tracker_types").items()}
#: Folded words for rows that are no assets: plumes of methane seen from above.
NO_ASSETS = frozenset({"plumesattrib", "plumesunattrib", "plume"})
_KindPatterns: TypeAlias = tuple[tuple[re.Pattern[str], str], ...]
#: Kinds by a word in a name, in small letters; the first that is in it counts.
_KINDS_BY_NAME: _KindPatterns = (
    (re.compile(r"\bpipelines?\b"), "pipeline"),
    (re.compile(r"\blng (import |export )?terminal\b|\b(fsru|flng)\b"), "lng-plant"),
    (re.compile(r"\bhydro(electric|power)\b|\bdam\b"), "hydro-plant"),
    (re.compile(r"\bnuclear\b"), "nuclear-plant"),
    (
        re.compile(r"\bpower (station|plant|project)\b|\b(wind|solar) (farm|park)\b|\bgenerati(ng|on) station\b"),
        "power-plant",
    ),
    (re.compile(r"\blng\b"), "lng-plant"),
    (re.compile(r"\bcoal terminal\b"), "port-terminal"),
    (re.compile(r"\bmine\b"), "mine"),
    (re.compile(r"\bgas (field|complex|condensate)\b|\boil field\b|\boil and gas\b"), "oil-field"),
    (re.compile(r"\bsteel ?(plant|works|mill)\b"), "steelworks"),
    (re.compile(r"\bcement (plant|works)\b"), "factory"),
)
#: Kinds by a word in a technology or fuel.
_KINDS_BY_TECHNOLOGY: _KindPatterns = (
    (re.compile(r"\b(pumped|conventional) storage\b|\brun-of-river\b|\bhydro\b"), "hydro-plant"),
    (re.compile(r"\breactor\b|\bnuclear\b"), "nuclear-plant"),
    (
        re.compile(
            r"\b(fossil|bioenergy|solar|wind|geothermal|photovoltaic|onshore|offshore|subcritical|supercritical|"
            r"ultra-supercritical|combined cycle|gas turbine|steam turbine|internal combustion|binary cycle|flash)\b"
        ),
        "power-plant",
    ),
)
#: Columns of names that the trackers of power plants have, and none of others.
_NAMES_OF_POWER_PLANTS = frozenset({"plantname", "powerstationname"})
_GAS_NAME = re.compile(r"\bgas\b")
_OIL_NAME = re.compile(r"\boil\b|\bpetroleum\b")
#: Barrels of oil equivalent in a cubic metre of gas (5,800 cubic feet to the barrel).
_BOE_PER_M3 = 35.3147 / 5800
#: Commodities by a folded word of a type, for rows that name none.
_COMMODITIES: Mapping[str, str] = {
    "oilpipeline": "oil", "nglpipeline": "NGL", "gaspipeline": "natural gas", "hydrogenpipeline": "hydrogen",
    "naturalgaspipeline": "natural gas", "coalmine": "coal", "coalterminal": "coal", "ironoremine": "iron ore",
}  # fmt: skip


#: The same by a column that only rows of one commodity fill.
_COMMODITIES_BY_COLUMN: Mapping[str, str] = {"coalterminalname": "coal"}


@dataclass(frozen=True, slots=True)
class RowKind:
    """What a row is: a kind, or none with the word that would say it; ``is_asset`` is false for known other rows."""

    kind: str | None
    word: str
    commodity: str | None = None
    is_asset: bool = True


class KindEvidence:
    """What tells the kinds of the rows of one file: the columns of types, chosen by the words in them."""

    def __init__(self, columns: TrackerColumns, rows: Sequence[TrackerRow]) -> None:
        self._has_technology = "technology" in columns
        self._names_plants = bool(columns.names & _NAMES_OF_POWER_PLANTS)
        by_column = {KINDS_BY_COLUMN[row.kind_column] for row in rows if row.kind_column}
        by_column = by_column or {KINDS_BY_COLUMN[folded(name)] for name in columns.kind_columns}
        #: The kind of all rows of a file whose columns only trackers of that kind have.
        self._of_file = by_column.pop() if len(by_column) == 1 else None
        words = [Counter[str]() for _ in columns.types]
        for row in rows if words else ():
            for count, word in zip(words, row.types, strict=True):
                count[word] += 1
        self._types = [_is_of_types(count) for count in words]

    def of(self, row: TrackerRow) -> RowKind:
        """Return what a row is."""
        unknown = ""
        for is_of_types, text in zip(self._types, row.types, strict=True):
            word = _folded_word(text) if is_of_types else ""
            if word in NO_ASSETS:
                return RowKind(None, text, is_asset=False)
            if kind := KINDS.get(word):
                return RowKind(_refined(kind, word, row), text, _COMMODITIES.get(word))
            unknown = unknown or (text if is_of_types else "")
        name = row["name"].casefold()
        by_name = _first(_KINDS_BY_NAME, name)
        if unknown:
            # A type that nobody knows is not guessed from the columns of the file, which other rows share.
            return RowKind(by_name and _refined(by_name, "", row), unknown)
        by_column = KINDS_BY_COLUMN.get(row.kind_column)
        if by_column == "pipeline" and by_name == "lng-plant":
            by_column = by_name
        technology = f"{row['technology']} {row['commodity']}".casefold()
        kind = by_column or _first(_KINDS_BY_TECHNOLOGY, technology) or by_name or self._of_file or self._by_unit(row)
        return RowKind(kind and _refined(kind, "", row), "", _COMMODITIES_BY_COLUMN.get(row.kind_column))

    def _by_unit(self, row: TrackerRow) -> str | None:
        """Return the kind of what has a capacity in megawatts, or a line for its place, or is called a plant."""
        if row.capacity_column.endswith("mw") or row["capacity_unit"] == "MW":
            return "power-plant"
        if self._has_technology and row["capacity"]:
            return "power-plant"
        if row["wkt"].upper().startswith(("LINE", "MULTILINE")):
            return "pipeline"
        return "power-plant" if self._names_plants else None


def _refined(kind: str, word: str, row: TrackerRow) -> str:
    """Return the kind of a field by what it gives more of, in barrels of oil equivalent, or else by fuel or name."""
    if kind not in ("oil-field", "gas-field") or word in ("oilfield", "gasfield", "oilextractionarea"):
        return kind
    oil, gas = (_number(row[field]) for field in ("oil", "gas"))
    if oil or gas:
        return "oil-field" if oil >= gas * _BOE_PER_M3 else "gas-field"
    texts = (row["commodity"].casefold(), row["name"].casefold())
    named = next((text for text in texts if _GAS_NAME.search(text) or _OIL_NAME.search(text)), "")
    return "gas-field" if _GAS_NAME.search(named) and not _OIL_NAME.search(named) else kind


def unit_of(kind: str, row: TrackerRow) -> str | None:
    """Return the unit of a capacity without one beside it: that in its column's name, or that of the kind."""
    stated = next((unit for ending, unit in UNITS_OF_NAMES.items() if row.capacity_column.endswith(ending)), None)
    return stated or ASSET_KINDS[kind].capacity_unit


def _is_of_types(counts: Counter[str]) -> bool:
    words = {word: count for word, count in counts.items() if word.strip().casefold() not in EMPTY}
    known = sum(
        count for word, count in words.items() if _folded_word(word) in KINDS or _folded_word(word) in NO_ASSETS
    )
    return known > 0 and known * 2 >= sum(words.values())


@lru_cache(maxsize=65536)
def _first(patterns: _KindPatterns, text: str) -> str | None:
    return next((kind for pattern, kind in patterns if pattern.search(text)), None)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
