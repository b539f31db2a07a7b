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
}  # fmt: skip


def written(path: Path, content: Any) -> Path:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    path.write_text(text, encoding="utf-8", newline="")
    return path
