"""Files of publishers that no format knows, made up: nested JSON, features without ids, and lists of holdings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def feature(properties: Mapping[str, Any], lonlat: tuple[float, float] | None) -> dict[str, Any]:
    geometry = None if lonlat is None else {"type": "Point", "coordinates": list(lonlat)}
    return {"type": "Feature", "geometry": geometry, "properties": dict(properties)}


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


#: Disruptions of assets with ids, in the ways in which services nest them.
DISRUPTIONS: Mapping[str, Any] = {
    "list.json": {
        "meta": {"source": "Sample grid monitor", "license": "CC BY 4.0"},
        "data": {
            "disruptions": [
                {
                    "event": {"start": "2024-05-03T04:10:00+03:00", "end": "2024-05-04T10:00:00+03:00"},
                    "asset": {"id": "X1", "name": "Low Meadow TPP"},
                    "location": {"lat": 48.451, "lng": 35.021},
                    "cause": "drone",
                    "reports": [{"url": "https://example.org/1"}, {"url": "https://example.org/2"}],
                },
                {
                    "event": {"start": "2024-05-05T04:10:00+03:00", "end": None},
                    "asset": {"id": "X1", "name": "Low Meadow TPP"},
                    "location": {"lat": 48.451, "lng": 35.021},
                    "cause": "missile",
                    "reports": [],
                },
            ]
        },
    },
    "of-regions.json": {
        "результат": [
            {
                "регіон": "Одеська область",
                "події": [
                    {
                        "дата": "03.05.2024",
                        "об'єкт": {"код": "OD-1", "назва": "Порт Верхній", "тип": "порт"},
                        "координати": "45.34, 28.83",
                        "причина": "шахед",
                    }
                ],
            },
            {
                "регіон": "Київська область",
                "події": [
                    {
                        "дата": "05.05.2024",
                        "об'єкт": {"код": "KY-1", "назва": "Нижня ТЕС", "тип": "ТЕС"},
                        "координати": "50.13, 30.75",
                        "причина": "ракета",
                    }
                ],
            },
        ]
    },
    "by-key.json": {
        "disruptions": {
            "d-001": {
                "began": 1714701600,
                "assetId": "GTS-7",
                "assetName": "Compressor station Verkhnia",
                "pos": {"type": "Point", "coordinates": [31.77, 50.28]},
                "reason": "missile strike",
            },
            "d-002": {
                "began": 1714801600,
                "assetId": "GTS-9",
                "assetName": "Underground gas storage Nyzhnie",
                "pos": {"type": "Point", "coordinates": [23.85, 49.26]},
                "reason": "drone strike",
            },
        }
    },
    "owned.json": {
        "status": "ok",
        "data": {
            "total": 2,
            "items": [
                {
                    "id": "R-1",
                    "asset": {
                        "id": "X1",
                        "name": "A refinery",
                        "country": "Україна",
                        "owner": "Acme [60%]; Beta [40%]",
                    },
                    "disruption": {"from": "2024-05-03", "to": "2024-05-09", "cause": {"code": "UAV"}},
                    "geo": {"latitude": 49.101, "longitude": 33.404},
                },
                {
                    "id": "R-2",
                    "asset": {"id": "X2", "name": "B pipeline", "country": "Russland", "owner": "unknown"},
                    "disruption": {"from": "2024-05-04", "to": None, "cause": {"code": "UAV"}},
                    "geo": {"latitude": None, "longitude": None},
                },
            ],
        },
    },
}

#: Disruptions and the sites that they struck, in lists of their own: beside each other, within each other, by key.
DISRUPTIONS_AND_SITES: Mapping[str, Any] = {
    "by-number.json": {
        "assets": [
            {"id": 101, "name": "Beresna substation", "type": "substation", "location": {"lat": 50.123, "lon": 30.456}},
            {"id": 102, "name": "Verba TPP", "type": "power plant", "location": {"lat": 49.512, "lon": 36.213}},
        ],
        "disruptions": [
            {"id": 9001, "asset_id": 101, "start": 1714716000000, "cause": "drone strike", "text": "Transformer burnt"},
            {"id": 9002, "asset_id": "102", "start": 1714889000000, "cause": "missile strike", "text": "Unit stopped"},
            {"id": 9003, "asset_id": 101, "start": 1715889000000, "cause": "drone strike", "text": "Again"},
        ],
    },
    "by-key.json": {
        "sites": {
            "x1": {"title": "Verba CHP", "category": "CHP", "geo": [50.441, 30.512], "country": "Ukraine"},
            "x2": {"title": "Lypa substation", "category": "substation", "geo": [46.482, 30.723], "country": "Ukraine"},
        },
        "incidents": [
            {"ref": "I-1", "site": "x1", "date": "2024-03-22", "note": "Hit by missiles"},
            {"ref": "I-2", "site": "x2", "date": "2024-03-23", "note": "Hit by drones"},
        ],
    },
    # The ids of events are ids of sites, too, and so are the numbers of drones.
    "alike-ids.json": {
        "incidents": [
            {"id": 1, "drones": 2, "facility": 2, "date": "2025-02-01", "summary": "Drones over the depot"},
            {"id": 2, "drones": 1, "facility": 1, "date": "2025-02-02", "summary": "Drones over the refinery"},
        ],
        "facilities": [
            {"id": 1, "name": "Yalyna refinery", "lat": 44.112, "lon": 39.073},
            {"id": 2, "name": "Sosna oil depot", "lat": 46.712, "lon": 38.273},
        ],
    },
    "several-each.json": {
        "sites": [
            {"siteId": 1, "siteName": "Yalyna refinery", "latlng": [44.112, 39.073]},
            {"siteId": 2, "siteName": "Sosna oil depot", "latlng": [46.712, 38.273]},
        ],
        "incidents": [
            {"incidentId": 900, "siteIds": [1, 2], "ts": "2025-01-03", "summary": "Drones over two sites"},
            {"incidentId": 901, "siteIds": [1], "ts": "2025-01-09", "summary": "Second attack"},
        ],
    },
    "lists-in-lists.json": {
        "disruptions": [
            [
                {
                    "event": {"uid": 1, "begin": "2024-05-03T04:10:00Z"},
                    "assets": [
                        {"asset_id": 7, "name": "Kalyna oil depot", "lat": 47.2331, "lng": 39.7122},
                        {"asset_id": 8, "name": "Kalyna pumping station", "lat": 47.2512, "lng": 39.7131},
                    ],
                    "summary": "Two sites on fire",
                }
            ],
            [
                {
                    "event": {"uid": 2, "begin": "2024-05-04T22:00:00Z"},
                    "assets": [{"asset_id": 9, "name": "Rybne refinery", "lat": 45.2213, "lng": 38.1121}],
                    "summary": "Refinery on fire",
                }
            ],
        ]
    },
    "of-sites.json": [
        {
            "name": "Рязанський НПЗ «Лис»",
            "company": "Лис Ойл",
            "location": [54.571, 39.742],
            "events": [
                {"date": "02.08.2025", "description": "Пожежа"},
                {"date": "05.09.2025", "description": "Влучання"},
            ],
        },
        {"name": "НПЗ «Вовк»", "company": "Вовк", "location": [48.493, 44.612], "events": []},
        {
            "name": "Нафтобаза «Рись»",
            "company": "Вовк",
            "location": [53.111, 50.062],
            "events": [{"date": "02.08.2025", "description": "Вибух"}],
        },
    ],
    "keyed-sites.json": {
        "881": {
            "name": "Hnizdo refinery",
            "pos": {"lat": 55.112, "lon": 37.913},
            "outages": [{"at": 1718236800000, "what": "Drone attack, column on fire"}],
        },
        "882": {
            "name": "Topol oil depot",
            "pos": {"lat": 53.213, "lon": 50.112},
            "outages": [
                {"at": 1718323200000, "what": "Drone debris, tank on fire"},
                {"at": 1718582400000, "what": "Second attack"},
            ],
        },
    },
}

#: Reports of drones that a geocoder placed, without ids.
REPORTS: Mapping[str, Any] = {
    "nominatim.geojson": collection(
        feature(
            {"headline": "Drones hit oil depot", "date": "03.05.2024", "geocoder": {"precision": "city", "p": 0.7}},
            (39.712, 47.233),
        ),
        feature({"headline": "Fire at refinery", "date": "04.05.2024", "geocoder": {"precision": "region"}}, (0, 0)),
        feature({"headline": "Fire at refinery", "date": "05.05.2024", "geocoder": {"precision": None}}, None),
    ),
    "alike.geojson": collection(
        *[
            feature({"title": "БпЛА атаковали НПЗ", "published": "2024-05-03T10:00:00Z", "confidence": 1}, (50.1, 53.3))
            for _ in range(2)
        ],
        feature({"title": "Drone over town", "published": "2024-05-04T11:00:00Z", "confidence": 0.2}, (37.613, 55.751)),
    ),
    "meldungen.geojson": collection(
        feature(
            {"Meldung": "Brand im Öldepot", "Datum": "3. Mai 2024", "Genauigkeit": "Stadt", "Land": "Russland"},
            (39.71, 47.233),
       ),
        feature(
            {"Meldung": "Brand", "Datum": "14. Juni 2024", "Genauigkeit": "Region", "Land": "Ukraine"}, (33.4, 49.1)
        ),
    ),
    "stamped.geojson": collection(
        feature({"text": "A drone hit a depot", "ts": 1714701600000, "geocode_type": "locality"}, (32.241, 52.752)),
        feature({"text": None, "ts": 1714788000000, "geocode_type": "country"}, (37.015, 55.021)),
    ),
    "displayed.geojson": collection(
        feature(
            {
                "created_at": 1715904000123,
                "message": "БПЛА атаковали НПЗ",
                "geocoder": {"name": "nominatim", "display_name": "Туапсе, Россия", "importance": 0.52, "type": "town"},
            },
            (39.0769, 44.1053),
        ),
        feature({"created_at": 1715990400123, "message": "Взрывы", "geocoder": None}, None),
    ),
    "matched.geojson": collection(
        feature({"msg": "Drones over a refinery", "date": "2024-05-17", "match": "city", "cc": "RU"}, (39.08, 44.1)),
        feature({"msg": "Three drones shot down", "date": "2024-05-18", "match": "state", "cc": "RU"}, (37.5, 50.6)),
        feature({"msg": "A drone hit a depot", "date": "2024-05-18", "match": "", "cc": "RU"}, (32.05, 54.78)),
        feature({"msg": "A drone hit a depot", "date": "2024-05-18", "match": None, "cc": "RU"}, None),
    ),
}  # fmt: skip

#: Holdings as two tables each, which belong together by names alone.
HOLDINGS: Mapping[str, Mapping[str, str]] = {
    "russian": {
        "companies.csv": "\ufeffНаименование;ИНН;Регион\nАО «Ромашка»;7701;Москва\nПАО \"Василёк\";7702;Тула\n",
        "holdings.csv": "Акционер;Общество;Доля, %\nРоссийская Федерация;ПАО «Василек»;50 % + 1 акция\n"
        "ПАО \"Василёк\";АО  \"РОМАШКА\";51,3\nИванов И. И.;АО \"Ромашка\";48,7\n",
    },
    "federal shares in the header": {
        "list.csv": "№ п/п,Наименование акционерного общества,\"Доля Российской Федерации, %\"\n"
        "1,\"АО \"\"Верх\"\"\",100\n2,\"ПАО \"\"Низ\"\"\",\"78,55\"\n3,\"ПАО Середина\",менее 50\n",
        "subsidiaries.csv": "Материнская компания,Дочернее общество,Доля\n\"ПАО \"\"Низ\"\"\",ООО Север,100%\n"
        "\"ПАО \"\"Низ\"\"\",ООО Юг,н/д\n",
    },
    "english, fractions": {
        "entities.csv": "entity,parent_entity,ownership_share\nAlpha,Department of X,0.5\n"
        "Foo,Department of X,1\nBar,Foo,0.25\n",
        "stakes.tsv": "agency\tcompany\tstake_pct\nDepartment of X\tBaz Inc\t9.9%\n",
    },
    "german, owners in both": {
        "firmen.csv": "Firma;Land;Gesellschafter;Anteil\nAlpha GmbH;Deutschland;Bund;75,1 %\n"
        "Alpha GmbH;Deutschland;Beta AG;24,9 %\n",
        "anteile.csv": "Inhaber;Beteiligung;Prozent\nAlpha GmbH;Gamma GmbH;mehr als 50\n",
    },
    "least and largest": {
        "federal_entities.csv": "Entity Name,Type,INN\nAgency of Ports,agency,77\nSever JSC,company,78\n",
        "federal_holdings.csv": "owner_name,owned_name,percent_min,percent_max\nAgency of Ports,Sever JSC,50,75\n"
        "Sever JSC,Yug JSC,25,\n",
    },
    "kinds of entities": {
        "entities.tsv": "Name\tKind\nFederal Agency X\tgovernment\nAlpha Corp\tcompany\n",
        "holdings.tsv": "Company\tFederal owner\tShare of federal ownership\nAlpha Corp\tFederal Agency X\t0.755\n"
        "Beta Corp\tFederal Agency X\t0.25\n",
    },
}  # fmt: skip


def written(path: Path, content: Any) -> Path:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    path.write_text(text, encoding="utf-8", newline="")
    return path
