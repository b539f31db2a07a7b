"""Every tracker of the family loads the same however its columns are spelt, ordered, encoded and packed.

The samples are made up; their headers are those of GEM's releases and map files.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from layers.model.problems import ReadResult
from layers.sources.files.source_file import SourceFile
from layers.sources.gem.columns import folded
from layers.sources.gem.formats import TRACKER
from layers.sources.reader.format import LoadOptions
from layers.sources.registry import recognise
from tests.layers.sources.making_files import csv_text, file_of, sheet_xml, workbook

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Sample:
    """A tracker: its header, rows and kinds of assets, and other names that GEM has for its columns."""

    header: list[str]
    rows: list[list[str]]
    kinds: set[str]
    renamed: dict[str, str] = field(default_factory=dict)


SAMPLES: dict[str, Sample] = {
    "gas pipelines": Sample(
        ["ProjectID", "PipelineName", "SegmentName", "Status", "Countries", "Owner", "Parent", "StartYear1", "StopYear",
         "Capacity", "CapacityUnits", "Fuel", "RouteAccuracy", "WKTFormat", "Wiki"],
        [["P9101", "Бурштин Pipeline", "West", "operating", "Ukraine", "Amber [51.00%]; Brook [49.00%]",
          "Brook [100.00%]",
          "1978", "", "5", "bcm/y", "Gas", "high", "LINESTRING (30 50, 31 50)", "https://www.gem.wiki/Amber"],
         ["P9102", "Brook Pipeline", "", "cancelled", "Ukraine, Poland", "Brook [100.00%]", "--", "", "", "", "", "Gas",
          "", "", "https://www.gem.wiki/Brook"]],
        {"pipeline"},
        {"ProjectID": "Pipeline_id", "Owner": "owner(s)", "WKTFormat": "Route", "Countries": "CountriesOrAreas"},
    ),
    "oil pipelines of the map": Sample(
        ["project", "unit", "type", "parent", "countries", "status", "start_year", "capacity", "geom", "route", "url"],
        [["Amber Oil Pipeline", "Черемош", "oil_pipelines", "Amber [100.00%]", "Ukraine", "operating", "1961", "9",
          "line",
          "50.1,30.2:50.3,31.4:50.5,31.9", "https://www.gem.wiki/Amber_Oil"],
         ["Brook NGL Pipeline", "", "ngl_pipelines", "Brook [60.00%]; Amber [40.00%]", "Qatar", "idle", "", "", "line",
          "26.1,52.0:25.9,51.5;25.8,51.4:25.7,51.3", "https://www.gem.wiki/Brook_NGL"]],
        {"pipeline"},
        {"parent": "Parents", "route": "Geometry", "project": "Pipeline Name", "unit": "Segment-Name"},
    ),
    "LNG terminals": Sample(
        ["TerminalID", "ProjectID", "ComboID", "TerminalName", "UnitName", "FacilityType", "Status", "Country", "Owner",
         "Capacity", "CapacityUnits", "StartYear1", "StopYear", "Latitude", "Longitude", "Accuracy", "Wiki"],
        [["T9001", "1", "T900101", "Тихий LNG Terminal", "T1", "Export", "operating", "Ukraine",
          "Amber [60%]; Brook [40%]",
          "3", "mtpa", "2011", "", "46.1", "30.6", "exact", "https://www.gem.wiki/Quiet"],
         ["T9001", "2", "T900102", "Тихий LNG Terminal", "T2", "Export", "proposed", "Ukraine", "Amber [100%]", "2",
          "mtpa",
          "2031", "", "46.1", "30.6", "exact", "https://www.gem.wiki/Quiet"],
         ["T9002", "0", "T900200", "Reed FSRU", "", "Import", "retired", "Lithuania", "Reed [100%]", "1", "mtpa",
          "2001",
          "2015", "55.7", "21.1", "approximate", "https://www.gem.wiki/Reed"]],
        {"lng-plant"},
        {"ComboID": "Unit ID", "Owner": "Owners", "TerminalName": "Terminal_Name", "TerminalID": "GEM Terminal ID"},
    ),
    "oil and gas plants of the map": Sample(
        ["fuel_type", "technology", "project", "unit", "project_loc", "owner", "parent", "capacity", "status",
          "country",
         "start_year", "url", "lat", "lng"],
        [["fossil gas: natural gas", "combined cycle", "Reed power station", "1", "Очерет", "A [66%]; B [33%]",
          "A [66.7%]; B [33.3%]", "400.0", "operating", "Ukraine", "2001", "https://www.gem.wiki/Reed", "48.5", "30.1"],
         ["fossil gas: natural gas", "gas turbine", "Reed power station", "2", "Очерет", "A [100%]", "A [100.0%]",
          "100.0",
          "cancelled", "Ukraine", "", "https://www.gem.wiki/Reed", "48.5", "30.1"]],
        {"power-plant"},
        {"owner": "Owner(s)", "parent": "Parent(s)", "project": "Plant name", "unit": "Unit name", "lat": "Latitude"},
    ),
    "coal plants": Sample(
        ["GEM unit/phase ID", "GEM location ID", "Country/Area", "Wiki URL", "Plant name", "Unit name", "Owner",
          "Parent",
         "Capacity (MW)", "Status", "Start year", "Retired year", "Combustion technology", "Coal type", "Latitude",
         "Longitude", "Location accuracy"],
        [["G9001", "L9000", "Ukraine", "https://www.gem.wiki/Coal", "Сонячна power station", "Unit 1", "A [100.0%]",
          "A [100.0%]", "300", "retired", "1961", "2019", "subcritical", "bituminous", "48.9", "37.1", "exact"],
         ["G9002", "L9000", "Ukraine", "https://www.gem.wiki/Coal", "Сонячна power station", "Unit 2",
          "A [50.0%]; B [50.0%]",
          "A [100.0%]", "200", "operating", "1965", "", "subcritical", "bituminous", "48.9", "37.1", "exact"],
         ["G9003", "L9003", "Ukraine", "https://www.gem.wiki/Coal_2", "Steelworks power station", "", "B [100.0%]",
          "B [100.0%]", "50", "mothballed", "", "", "unknown", "unknown", "48.0", "37.0", "approximate"]],
        {"power-plant"},
        {"GEM unit/phase ID": "Tracker ID", "GEM location ID": "TrackerLOC", "Owner": "Sponsor", "Plant name": "Plant"},
    ),
    "hydropower": Sample(
        ["country", "country_2", "project_name", "project_name_(local_lang/script)", "capacity_(mw)", "status",
         "start_year", "retired_year", "owner", "technology_type", "river_/_watercourse", "lat", "lng",
         "location_accuracy", "gem_location_id", "gem_unit_id", "url"],
        [["Ukraine", "", "Dnieper power station", "Дніпровська", "1500", "operating", "1932", "", "Hydro [100%]",
          "conventional storage", "Dnieper", "47.8", "35.1", "exact", "L9600", "G9600", "https://gem.wiki/Dnieper"],
         ["Ukraine", "Romania", "Border plant", "", "90", "announced", "", "", "", "run-of-river", "", "48.0", "26.5",
          "approximate", "L9601", "G9601", "https://gem.wiki/Border"]],
        {"hydro-plant"},
        {"gem_unit_id": "GEM unit ID", "project_name": "Name", "country": "Country 1", "owner": "Owner(s)"},
    ),
    "nuclear power": Sample(
        ["country", "project-name", "unit-name", "capacity-(mw)", "status", "reactor-type", "owner", "lat", "lng",
         "location-accuracy", "url"],
        [["Ukraine", "Запорізька plant", "1", "1000", "operating", "pressurized water reactor", "E [100%]", "47.5",
          "34.6",
          "exact", "https://www.gem.wiki/Z"],
         ["Ukraine", "Запорізька plant", "2", "1000", "cancelled", "unknown", "", "47.5", "34.6", "exact",
          "https://www.gem.wiki/Z"]],
        {"nuclear-plant"},
        {"project-name": "Project Name", "unit-name": "Unit", "capacity-(mw)": "Capacity MW"},
    ),
    "oil and gas fields": Sample(
        ["country/area", "wiki-name", "status", "production-start-year", "owner", "parent", "lat", "lng",
         "location-accuracy", "unit-id", "url", "discovery-year", "production---oil-(million-bbl/y)",
         "production---gas-(million-m³/y)"],
        [["Ukraine", "Долина Oil and Gas Field (Ukraine)", "operating", "1950", "U (50%);V (50%)", "U (100%)",
          "48.9", "24.0",
          "exact", "OG9001", "https://www.gem.wiki/Dolyna", "1948", "3.5", "100"],
         ["Russia", "North Gas Field (Russia)", "shut_in", "2025 (expected)", "", "", "66.0", "76.0", "", "OG9002",
          "https://www.gem.wiki/North", "", "", ""]],
        {"oil-field", "gas-field"},
        {"wiki-name": "Wiki name", "unit-id": "Unit ID", "owner": "Owners", "country/area": "Country"},
    ),
    "coal mines": Sample(
        ["GEM Mine ID", "Country", "Mine Name", "GEM Wiki URLs", "Status", "Owners", "Parent Company",
          "Capacity (Mtpa)",
         "Depth Accuracy", "Coal Type", "Opening Year", "Latitude", "Longitude", "Location Accuracy"],
        [["M9001", "Ukraine", "Шахта Mine", "https://www.gem.wiki/Mine", "Operating", "Mines [100%]",
          "Mines [100%]", "2.5",
          "GEM", "bituminous", "1961", "48.2", "38.0", "Exact"]],
        {"mine"},
        {"GEM Mine ID": "Mine ID", "Owners": "Owner", "Parent Company": "Parent", "Mine Name": "mine_name"},
    ),
    "coal terminals": Sample(
        ["gem-terminal-id", "gem-unit/phase-id", "parent-port-name", "country/area", "coal-terminal-name",
          "capacity-(mt)",
         "status", "start-year", "retired-year", "location-accuracy", "owner", "lat", "lng", "url"],
        [["T9101", "T91011", "Порт Port", "Ukraine", "Порт Coal Terminal", "3", "operating", "1975", "", "exact",
          "P [100%]",
          "46.7", "31.0", "https://www.gem.wiki/P"]],
        {"port-terminal"},
        {"coal-terminal-name": "Coal Terminal Name", "capacity-(mt)": "Capacity (Mt)", "gem-unit/phase-id": "Unit ID"},
    ),
    "steel plants": Sample(
        ["id", "phase_id", "plant_phase", "status", "project", "parent", "owner", "country", "steel_capacity",
         "iron_capacity", "url", "lat", "lng"],
        [["P900000001", "S900000001", "phase 1", "operating", "Азов works", "M [100.0%]", "M", "Ukraine", "3000",
          "2000",
          "https://www.gem.wiki/Azov", "47.1", "37.6"],
         ["P900000001", "S900000002", "phase 2", "retired", "Азов works", "M [100.0%]", "M", "Ukraine", "", "",
          "https://www.gem.wiki/Azov", "47.1", "37.6"]],
        {"steelworks"},
        {"id": "Plant ID", "phase_id": "Phase ID", "project": "Plant name (English)", "plant_phase": "Phase"},
    ),
    "solar farms": Sample(
        ["Country/Area", "Project Name", "Phase Name", "Capacity (MW)", "Capacity Rating", "Technology Type", "Status",
         "Start year", "Retired year", "Owner", "Latitude", "Longitude", "Location accuracy", "GEM location ID",
         "GEM phase ID", "Wiki URL"],
        [["Ukraine", "Соняшник", "--", "20", "MWp/dc", "PV", "cancelled - inferred 4 y", "", "", "S [100%]", "47.0",
          "33.0",
          "exact", "L9800", "G9800", "https://www.gem.wiki/Sun"]],
        {"power-plant"},
        {"Project Name": "Plant / Project name", "Phase Name": "Unit / Phase name",
          "GEM phase ID": "GEM unit/phase ID"},
    ),
    "integrated power tracker": Sample(
        ["Type", "Country/area", "Plant / Project name", "Unit / Phase name", "Capacity (MW)", "Status", "Technology",
         "Fuel", "Owner(s)", "Owner(s) GEM Entity ID", "Latitude", "Longitude", "Location accuracy", "GEM location ID",
         "GEM unit/phase ID", "GEM.Wiki URL"],
        [["oil/gas", "Ukraine", "Трипілля", "1", "300", "operating", "steam turbine", "fossil gas: natural gas",
          "C [100%]",
          "E100000000009", "50.1", "30.7", "exact", "L9850", "G9850", "https://www.gem.wiki/T"],
         ["hydropower", "Ukraine", "Канів", "", "440", "operating", "run-of-river", "water", "U [100%]",
          "E100000000008",
          "49.8", "31.5", "exact", "L9851", "G9851", "https://www.gem.wiki/K"],
         ["nuclear", "Ukraine", "Рівне", "2", "1000", "construction", "pressurized water reactor", "uranium",
          "E [100%]",
          "E100000000007", "51.3", "25.9", "exact", "L9852", "G9852", "https://www.gem.wiki/R"]],
        {"power-plant", "hydro-plant", "nuclear-plant"},
        {"Owner(s) GEM Entity ID": "OwnerEntityIDs", "Owner(s)": "Owner", "GEM.Wiki URL": "Wiki"},
    ),
    "iron ore mines": Sample(
        ["GEM Asset ID", "Asset name (English)", "Coordinates", "Coordinate accuracy", "Country/Area",
         "Design capacity (ttpa)", "Operating status", "Start date", "Stop date", "Owner", "Parent",
          "GEM wiki page URL"],
        [["M9901", "Кривий mine", "48.1, 33.5", "exact", "Ukraine", "900", "operating", "1961", "", "F [100.0%]",
          "F [100.0%]",
          "https://www.gem.wiki/Ore"]],
        {"mine"},
        {"Asset name (English)": "Name (English)", "Operating status": "Status", "GEM Asset ID": "Asset ID"},
    ),
    "gas pipelines, release of 2025": Sample(
        ["ProjectID", "PipelineName", "SegmentName", "Wiki", "Status", "Fuel", "CountriesOrAreas", "Owner", "Parent",
         "ParentEntityIDs", "StartYear1", "StopYear", "Capacity", "CapacityUnits", "StartCountryOrArea",
         "EndCountryOrArea", "RouteType", "RouteAccuracy", "OtherEnglishNames", "OtherLanguagePrimaryPipelineName"],
        [["P9150", "Heron Pipeline", "Main", "https://www.gem.wiki/Heron", "construction", "Gas", "Ukraine", "A [100%]",
          "A [100%]", "E100000000001", "2027", "", "4", "bcm/y", "Ukraine", "Ukraine", "straight line", "low", "Grey",
          "Чапля"]],
        {"pipeline"},
        {"CountriesOrAreas": "Countries/Areas", "ProjectID": "GEM Project ID", "Wiki": "GEM Wiki"},
    ),
    "LNG terminals, release of 2025": Sample(
        ["ProjectID", "UnitID", "Wiki", "TerminalName", "UnitName", "FacilityType", "Fuel", "Status", "Country/Area",
         "Owner", "Owner GEM Entity ID", "Parent", "Parent GEM Entity ID", "Capacity", "CapacityUnits",
         "ActualStartYear", "StopYear", "Latitude", "Longitude", "Accuracy", "OtherNames", "LocalNames"],
        [["T900000000001", "G900000000001", "https://www.gem.wiki/Gull", "Gull LNG Terminal", "T1", "import", "LNG",
          "operating", "Poland", "A [60%]; B [40%]", "E100000000001 [60%]; E100000000002 [40%]", "A [100%]",
          "E100000000001", "3", "mtpa", "2011", "", "53.9", "14.3", "exact", "Mewa", "Чайка"],
         ["T900000000001", "G900000000002", "https://www.gem.wiki/Gull", "Gull LNG Terminal", "T2", "import", "LNG",
          "proposed", "Poland", "A [100%]", "E100000000001 [100%]", "A [100%]", "E100000000001", "2", "mtpa", "", "",
          "53.9", "14.3", "exact", "", ""]],
        {"lng-plant"},
        {"ActualStartYear": "Start Year", "UnitID": "GEM unit ID", "ProjectID": "GEM Terminal ID", "LocalNames":
         "Local Name"},
    ),
    "oil and gas fields, release of 2026": Sample(
        ["Unit ID", "Unit Name", "Unit name local script", "Fuel type", "Country/Area", "Subnational unit", "Status",
         "Status year", "Discovery year", "Production start year", "Operator", "Owner(s)", "Parent(s)",
         "Wiki URL (project)", "Wiki URL (field)", "Name Other", "Latitude", "Longitude", "Location accuracy"],
        [["L900000000001", "Curlew", "Кроншнеп", "gas and condensate", "Ukraine", "", "decommissioning", "2024", "",
          "", "U", "U [100%]", "U [100.0%]", "", "https://www.gem.wiki/Curlew", "", "49.1", "24.1", "exact"],
         ["L900000000002", "Dunlin Field", "", "oil", "Romania", "", "operating", "2024", "1975", "1980", "V",
          "V [70%]; W [30%]", "V [100.0%]", "", "https://www.gem.wiki/Dunlin", "Dunlin Est", "44.3", "29.2", ""]],
        {"oil-field", "gas-field"},
        {"Unit ID": "GEM GOGET ID", "Unit Name": "Wiki name", "Wiki URL (field)": "GEM Wiki", "Owner(s)": "Owner"},
    ),
    "oil and gas projects, release of 2026": Sample(
        ["Project ID", "Project Name", "Project local script", "Fuel type", "Country/Area", "Status", "Discovery year",
         "Production start year", "Owner(s)", "Parent(s)", "Units (list of IDs)", "Wiki URL (project)", "Latitude",
         "Longitude", "Location accuracy"],
        [["L900000000101", "Ruff Oil Project", "Турухтан", "oil", "Romania", "operating", "", "", "V [100%]",
          "V [100.0%]", "L900000000002, L900000000003", "https://www.gem.wiki/Ruff", "44.4", "29.3", "approximate"]],
        {"oil-field"},
        {"Wiki URL (project)": "Wiki URL", "Project Name": "Name", "Owner(s)": "Owners"},
    ),
    "oil and gas fields, methane tracker": Sample(
        ["GEM GOGET ID", "Unit name", "GEM Wiki", "Status", "Status year", "Operator", "Country/Area", "Latitude",
         "Longitude"],
        [["L900000000003", "Sanderling Oil Field (Romania)", "https://www.gem.wiki/Sanderling", "mothballed", "2020",
          "V", "Romania", "44.5", "29.4"]],
        {"oil-field"},
        {"GEM GOGET ID": "GOGET ID", "Unit name": "Field name", "GEM Wiki": "GEM.Wiki URL"},
    ),
    "hydropower, release of 2026": Sample(
        ["Country/Area 1", "Country/Area 2", "Project Name", "Project Name (local lang/script)", "Other name(s)",
         "Capacity (MW)", "Binational", "Country/Area 1 Capacity (MW)", "Country/Area 2 Capacity (MW)", "Status",
         "Start Year", "Retired Year", "Owner", "Operator", "Technology Type", "River / Watercourse", "Latitude",
         "Longitude", "Location Accuracy", "GEM location ID", "GEM unit ID", "Wiki URL"],
        [["Romania", "Serbia", "Egret hydroelectric plant", "Егрета", "Silver", "200", "Yes", "100", "100", "operating",
          "1984", "", "H [100%]", "H", "run-of-river", "Danube", "44.3", "22.5", "exact", "L900000000201",
          "G900000000201", "https://www.gem.wiki/Egret"],
         ["Ukraine", "", "Heron hydroelectric plant", "", "", "30", "No", "30", "", "shelved - inferred 2 y", "", "",
          "", "", "conventional storage", "", "48.3", "24.5", "approximate", "L900000000202", "G900000000202",
          "https://www.gem.wiki/Heron_Hydro"]],
        {"hydro-plant"},
        {"Country/Area 1": "Country 1", "Country/Area 2": "Country 2", "GEM unit ID": "Unit ID"},
    ),
    "oil and gas plants, release of 2026": Sample(
        ["Plant name", "Unit name", "Plant Name in Local Language / Script", "Other Name(s)", "Fuel", "Capacity (MW)",
         "Status", "Turbine/Engine Technology", "Start year", "Retired year", "Owner(s)", "Owner(s) GEM Entity ID",
         "Parent(s)", "Parent GEM Entity ID", "Country/Area", "Latitude", "Longitude", "Location accuracy",
         "GEM location ID", "GEM unit ID", "Wiki URL"],
        [["Snipe power station", "GT1", "Бекас", "", "fossil gas: natural gas", "120", "operating", "gas turbine",
          "2012", "", "A [100%]", "E100000000001 [100%]", "A [100%]", "E100000000001", "Ukraine", "48.2", "35.2",
          "exact", "L900000000301", "G900000000301", "https://www.gem.wiki/Snipe"]],
        {"power-plant"},
        {"Owner(s)": "Owners", "Turbine/Engine Technology": "Technology", "Plant name": "Power Plant Name"},
    ),
    "bioenergy": Sample(
        ["Project Name", "Unit Name", "Project Name in Local Language / Script", "Fuel", "Capacity (MW)", "Status",
         "Start Year", "Retired Year", "Owner(s)", "Owner(s) GEM Entity ID", "Country/Area", "Latitude", "Longitude",
         "Location Accuracy", "GEM location ID", "GEM phase ID", "Wiki URL"],
        [["Thrush power station", "", "Дрізд", "bioenergy: agricultural waste (solids)", "12", "operating", "2015", "",
          "B [100%]", "E100000000011 [100%]", "Ukraine", "49.2", "31.2", "exact", "L900000000401", "G900000000401",
          "https://www.gem.wiki/Thrush"]],
        {"power-plant"},
        {"GEM phase ID": "GEM unit ID", "Owner(s)": "Owner", "Project Name": "Plant name"},
    ),
    "wind farms": Sample(
        ["Country/Area", "Project Name", "Phase Name", "Capacity (MW)", "Installation Type", "Status", "Start year",
         "Retired year", "Owner", "Latitude", "Longitude", "Location accuracy", "GEM location ID", "GEM phase ID",
         "Wiki URL"],
        [["Ukraine", "Swift wind farm", "II", "90", "Onshore", "pre-construction", "2027", "", "W [100%]", "46.4",
          "35.4", "approximate", "L900000000501", "G900000000501", "https://www.gem.wiki/Swift"]],
        {"power-plant"},
        {"Phase Name": "Unit / Phase name", "Owner": "Owner(s)", "Wiki URL": "GEM.Wiki URL"},
    ),
    "geothermal power": Sample(
        ["Project Name", "Unit Name", "Other Name(s)", "Unit Capacity (MW)", "Technology", "Status", "Start Year",
         "Retired Year", "Owner", "Owner GEM Entity ID", "Country/Area", "Latitude", "Longitude", "Location Accuracy",
         "GEM location ID", "GEM unit ID", "Wiki URL"],
        [["Petrel geothermal project", "1", "", "11", "binary cycle", "announced", "", "", "G [100%]",
          "E100000000021 [100%]", "Slovakia", "48.7", "21.3", "approximate", "L900000000601", "G900000000601",
          "https://www.gem.wiki/Petrel"]],
        {"power-plant"},
        {"Unit Capacity (MW)": "Capacity (MW)", "Owner": "Owners", "Other Name(s)": "Other names"},
    ),
    "cement plants": Sample(
        ["GEM Plant ID", "GEM Asset name (English)", "Asset name (other language)", "Alternative asset name(s)",
         "Coordinates", "Coordinate accuracy", "GEM wiki page", "Country/Area",
         "Cement Capacity (millions metric tonnes per annum)", "Clinker Capacity (millions metric tonnes per annum)",
         "Operating status", "Start date", "Owner name (English)", "Owner name (other language)", "Owner Entity ID",
         "Parent", "Parent Entity ID"],
        [["P900000000701", "Plover Cement Plant", "Сивка (Ukrainian)", "n/a", "50.1, 28.5", "exact",
          "https://www.gem.wiki/Plover", "Ukraine", "1.5", ">0", "operating", "unknown", "C Ltd [100.0%]", "Ц [100%]",
          "E100000000031 [100.0%]", "D AG [100.0%]", "E100000000032"]],
        {"factory"},
        {"GEM Asset name (English)": "Asset name (English)", "Owner name (English)": "Owner",
         "GEM wiki page": "GEM wiki page URL"},
    ),
    "chemical plants": Sample(
        ["GEM plant ID", "Plant name (English)", "Plant name (other language)", "Other plant names (English)",
         "Owner (English)", "Owner (other language)", "Owner GEM entity ID", "Country/area", "Coordinates",
         "Coordinate accuracy", "GEM wiki page", "Primary products", "Feedstock", "Feedstock accuracy"],
        [["P900000000801", "Godwit Chemical Plant", "Грицик (Ukrainian)", "Godwit Azot", "E Inc [100%]", "",
          "E100000000041 [100%]", "Ukraine", "49.4, 32.1", "exact", "https://gem.wiki/Godwit", "ammonia",
          "natural gas", "exact"]],
        {"chemical-plant"},
        {"Owner (English)": "Owner", "Plant name (English)": "Plant name", "GEM wiki page": "GEM wiki URL"},
    ),
}  # fmt: skip


def plain(sample: Sample) -> str:
    return csv_text([sample.header, *sample.rows])


def spelt(change: Callable[[str], str]) -> Callable[[Sample], str]:
    return lambda sample: csv_text([[change(name) for name in sample.header], *sample.rows])


def reordered(sample: Sample) -> str:
    return csv_text([sample.header[::-1], *[row[::-1] for row in sample.rows]])


def with_more_columns(sample: Sample) -> str:
    header = ["Researcher", *sample.header, "", "Owner [ref]", "Status [ref]", "Notes"]
    return csv_text([header, *[["", *row, "x", "https://example.org", "?", "50 %"] for row in sample.rows]])


def renamed(sample: Sample) -> str:
    return csv_text([[sample.renamed.get(name, name) for name in sample.header], *sample.rows])


#: Names of columns as other releases, and people who join files, have them.
OTHER_RELEASES = {
    "latitude": "Latitude (WGS84)", "lat": "Lat (WGS84)", "longitude": "Longitude (WGS84)", "lng": "Lng (WGS84)",
    "coordinates": "Coordinates (lat, lon)", "country": "Country name", "countryarea": "Country or area",
    "countries": "Countries/Areas", "owner": "Owner name(s)", "owners": "Owner name(s)", "parent": "Parent name(s)",
    "status": "Current status", "url": "Wiki link", "wiki": "Wiki page URL", "wikiurl": "Wiki link",
    "gemwikiurls": "GEM wiki link", "startyear": "Start year (earliest)", "retiredyear": "Retirement year",
}  # fmt: skip


def as_in_other_releases(sample: Sample) -> str:
    return csv_text([[OTHER_RELEASES.get(folded(name), name) for name in sample.header], *sample.rows])


VARIANTS: dict[str, Callable[[Sample], str | bytes]] = {
    "capitals": spelt(str.upper),
    "small letters": spelt(str.lower),
    "underscores": spelt(lambda name: name.replace(" ", "_").replace("-", "_")),
    "hyphens": spelt(lambda name: name.replace(" ", "-").replace("_", "-")),
    "spaces": spelt(lambda name: f" {name.replace('_', ' ').replace('-', ' ')} "),
    "no brackets": spelt(lambda name: name.replace("(", "").replace(")", "")),
    "no signs": spelt(lambda name: "".join(filter(str.isalnum, name))),
    "reordered": reordered,
    "more columns": with_more_columns,
    "renamed": renamed,
    "other releases": as_in_other_releases,
    "UTF-16": lambda sample: csv_text([sample.header, *sample.rows], "\t").encode("utf-16"),
    "UTF-8 with a mark": lambda sample: csv_text([sample.header, *sample.rows], ";").encode("utf-8-sig"),
    "Windows-1251": lambda sample: plain(sample).replace("m³", "m3").encode("cp1251"),
    "bars": lambda sample: csv_text([sample.header, *sample.rows], "|"),
}


def read(file: SourceFile) -> ReadResult:
    assert recognise(file) is TRACKER
    return TRACKER.read([file], LoadOptions("gem/sample"))


def told(reading: ReadResult) -> dict[str, dict[str, Any]]:
    """All records but the file itself, which is called otherwise, by table."""
    records = reading.records
    return {
        "assets": {key: one.model_dump(exclude={"sources", "place_source"}) for key, one in records.assets.items()},
        "stakes": {key: one.model_dump(exclude={"source"}) for key, one in records.stakes.items()},
        "entities": {key: one.model_dump(exclude={"sources"}) for key, one in records.entities.items()},
    }


@pytest.mark.parametrize("family", SAMPLES)
def test_a_tracker_is_told_by_its_content(tmp_path: Path, family: str) -> None:
    sample = SAMPLES[family]
    reading = read(file_of(tmp_path / "data.csv", plain(sample)))
    assert (reading.problems, reading.skipped, reading.rows) == ((), {}, len(sample.rows))
    assert {asset.kind for asset in reading.records.assets.values()} == sample.kinds
    plants = {asset.part_of for asset in reading.records.assets.values()}
    units = [asset for asset in reading.records.assets.values() if asset.id not in plants]
    assert len(units) == len(sample.rows)
    assert all(asset.external_ids["gem-wiki"] for asset in units)
    has_status = any(folded(name).endswith("status") for name in sample.header)
    assert all((asset.status is not None) == has_status for asset in units)


def test_units_of_a_terminal_are_parts_of_it_in_each_release(tmp_path: Path) -> None:
    reading = read(file_of(tmp_path / "data.csv", plain(SAMPLES["LNG terminals, release of 2025"])))
    units = {asset.id: asset.part_of for asset in reading.records.assets.values() if asset.part_of}
    assert units == dict.fromkeys(("gem/g900000000001", "gem/g900000000002"), "gem/t900000000001")
    assert reading.records.assets["gem/g900000000001"].since == "2011"


def test_what_a_field_gives_is_no_fuel_of_a_plant(tmp_path: Path) -> None:
    reading = read(file_of(tmp_path / "data.csv", plain(SAMPLES["oil and gas fields, release of 2026"])))
    told = {asset.name: (asset.kind, asset.status) for asset in reading.records.assets.values()}
    assert told == {"Curlew": ("gas-field", "retired"), "Dunlin Field": ("oil-field", "operating")}


def test_the_language_of_a_name_is_no_part_of_it(tmp_path: Path) -> None:
    reading = read(file_of(tmp_path / "data.csv", plain(SAMPLES["cement plants"])))
    (plant,) = reading.records.assets.values()
    assert (plant.aliases, plant.capacity, plant.capacity_unit) == (("Сивка",), 1.5, "million t/y")
    assert [stake.owner for stake in reading.records.stakes.values()] == ["gem/e100000000031"]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("family", SAMPLES)
def test_a_tracker_loads_the_same_however_its_columns_are_written(tmp_path: Path, family: str, variant: str) -> None:
    sample = SAMPLES[family]
    expected = read(file_of(tmp_path / "data.csv", plain(sample)))
    reading = read(file_of(tmp_path / "other.csv", VARIANTS[variant](sample)))
    assert told(reading) == told(expected)
    assert (reading.problems, reading.rows) == ((), expected.rows)


@pytest.mark.parametrize("family", SAMPLES)
def test_a_workbook_gives_the_same(tmp_path: Path, family: str) -> None:
    sample = SAMPLES[family]
    sheets = {"About": sheet_xml([["About this tracker"]]), "Data": sheet_xml([sample.header, *sample.rows])}
    assert told(read(workbook(tmp_path / "data.xlsx", sheets))) == told(
        read(file_of(tmp_path / "data.csv", plain(sample)))
    )


#: Variants of text that no letter of a real file is lost in.
LOSSLESS = [name for name in VARIANTS if name not in ("renamed", "Windows-1251")]


@pytest.mark.parametrize(
    "folder",
    [
        "gem_gas_oil_plants_2024_08",
        "gem_ggit_2024_10",
        "gem_goget_2025_02",
        "gem_goit_oil_pipelines_2024",
        "gem_hydro_2024_05",
    ],
)
def test_real_headers_in_other_spellings_load_equal(real_data: Path, tmp_path: Path, folder: str) -> None:
    source = next((real_data / folder).glob("*.csv"))
    is_utf_16 = source.read_bytes().startswith(codecs.BOM_UTF16_LE)
    text = source.read_text(encoding="utf-16" if is_utf_16 else "utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    sample = Sample(header, [row for row in rows if row][:200], set())
    expected = told(read(file_of(tmp_path / "data.csv", plain(sample))))
    for name in LOSSLESS:
        assert told(read(file_of(tmp_path / "other.csv", VARIANTS[name](sample)))) == expected, name
