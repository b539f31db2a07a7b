PRAGMA application_id = 1196444487;
PRAGMA user_version = 10400;
BEGIN;
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL,
  srs_id INTEGER PRIMARY KEY,
  organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL,
  definition TEXT NOT NULL,
  description TEXT
);
INSERT INTO "gpkg_spatial_ref_sys" VALUES ('Undefined Cartesian SRS', -1, 'NONE', -1, 'undefined', 'undefined Cartesian coordinate reference system');
INSERT INTO "gpkg_spatial_ref_sys" VALUES ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', 'undefined geographic coordinate reference system');
INSERT INTO "gpkg_spatial_ref_sys" VALUES ('WGS 84 geodetic', 4326, 'EPSG', 4326, 'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]', 'longitude/latitude in decimal degrees on WGS 84');
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY,
  data_type TEXT NOT NULL,
  identifier TEXT UNIQUE,
  description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE,
  min_y DOUBLE,
  max_x DOUBLE,
  max_y DOUBLE,
  srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id)
);
INSERT INTO "gpkg_contents" VALUES ('sources', 'attributes', 'sources', 'A publication that something is known from.', '2026-11-27T00:28:49.512Z', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "gpkg_contents" VALUES ('entities', 'attributes', 'entities', 'A company, state, state body, arrangement or person that may hold something.', '2026-11-27T00:28:49.512Z', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "gpkg_contents" VALUES ('assets', 'features', 'assets', 'A facility or a pipeline.', '2026-11-27T00:28:49.512Z', 28.40613, 45.26667, 30.64, 46.55, 4326);
INSERT INTO "gpkg_contents" VALUES ('strikes', 'features', 'strikes', 'An attack on a site, as a published report tells it.', '2026-11-27T00:28:56.661Z', 30.64, 46.55, 30.64, 46.55, 4326);
INSERT INTO "gpkg_contents" VALUES ('claims', 'attributes', 'claims', 'One source''s value for one field of one record, kept beside the accepted value.', '2026-11-27T00:28:56.661Z', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "gpkg_contents" VALUES ('stakes', 'attributes', 'stakes', 'Who owns how much of what, and when. An unverified stake counts from 0 to its share.', '2026-11-27T00:28:49.512Z', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "gpkg_contents" VALUES ('relations', 'attributes', 'relations', 'A tie of an entity or country to an asset that is not ownership. It is never added to shares.', '2026-11-27T00:28:49.512Z', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "gpkg_contents" VALUES ('controls', 'attributes', 'controls', 'Who controls what without a share that says so, as declared or consolidated. It never counts as a share.', '2026-11-27T00:28:47.849Z', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "gpkg_contents" VALUES ('decisions', 'attributes', 'decisions', 'A person''s judgement on what a strike hit. Appended, never overwritten; the latest per pair holds.', '2026-11-27T00:28:49.512Z', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "gpkg_contents" VALUES ('identities', 'attributes', 'identities', 'A person''s judgement on whether two entities, or two strikes, are one. Appended; the latest per pair holds.', '2026-11-27T00:28:47.854Z', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "gpkg_contents" VALUES ('history', 'attributes', 'history', 'Every change of every record, in order. Only ever added to.', '2026-11-27T00:28:47.854Z', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "gpkg_contents" VALUES ('strikeatlas', 'attributes', 'strikeatlas', 'Version of the tables.', '2026-11-27T00:28:47.855Z', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "gpkg_contents" VALUES ('attributions', 'features', 'attributions', 'Derived from the records.', '2026-11-27T00:28:56.957Z', 30.64, 46.55, 30.64, 46.55, 4326);
INSERT INTO "gpkg_contents" VALUES ('matches', 'attributes', 'matches', 'Derived from the records.', '2026-11-27T00:28:56.958Z', NULL, NULL, NULL, NULL, NULL);
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL,
  column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL,
  z TINYINT NOT NULL,
  m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id)
);
INSERT INTO "gpkg_geometry_columns" VALUES ('assets', 'geometry', 'GEOMETRY', 4326, 0, 0);
INSERT INTO "gpkg_geometry_columns" VALUES ('strikes', 'geometry', 'POINT', 4326, 0, 0);
INSERT INTO "gpkg_geometry_columns" VALUES ('attributions', 'geometry', 'GEOMETRY', 4326, 0, 0);
CREATE TABLE gpkg_extensions (
  table_name TEXT,
  column_name TEXT,
  extension_name TEXT NOT NULL,
  definition TEXT NOT NULL,
  scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name)
);
INSERT INTO "gpkg_extensions" VALUES ('assets', 'geometry', 'gpkg_rtree_index', 'http://www.geopackage.org/spec140/#extension_rtree', 'write-only');
INSERT INTO "gpkg_extensions" VALUES ('strikes', 'geometry', 'gpkg_rtree_index', 'http://www.geopackage.org/spec140/#extension_rtree', 'write-only');
INSERT INTO "gpkg_extensions" VALUES ('attributions', 'geometry', 'gpkg_rtree_index', 'http://www.geopackage.org/spec140/#extension_rtree', 'write-only');
CREATE TABLE "sources" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "id" TEXT NOT NULL UNIQUE, "dataset" TEXT, "private" BOOLEAN, "url" TEXT, "archive_url" TEXT, "publisher" TEXT NOT NULL, "title" TEXT, "language" TEXT, "published" TEXT, "retrieved" TEXT, "licence" TEXT);
INSERT INTO "sources" VALUES (1, 'news', 'curated', 0, 'https://example.org/depot', NULL, 'Example News', 'Depot hit twice', 'en', '2025-08-08', NULL, NULL);
INSERT INTO "sources" VALUES (2, 'register', 'curated', 0, 'https://example.org/register', NULL, 'Example Register', NULL, NULL, NULL, NULL, NULL);
CREATE TABLE "entities" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "id" TEXT NOT NULL UNIQUE, "dataset" TEXT, "private" BOOLEAN, "name" TEXT NOT NULL, "names" TEXT, "aliases" TEXT, "type" TEXT NOT NULL, "registered_in" TEXT, "headquartered_in" TEXT, "joint" BOOLEAN, "external_ids" TEXT, "sources" TEXT, "checked" TEXT NOT NULL, "note" TEXT);
INSERT INTO "entities" VALUES (1, 'state-az', 'curated', 0, 'Azerbaijan', '{}', '[]', 'state', 'AZ', 'AZ', 0, '{}', '["register"]', 'read', NULL);
INSERT INTO "entities" VALUES (2, 'oil-company', 'curated', 0, 'Oil Company Ltd', '{"uk":"Нафтова компанія"}', '[]', 'registeredEntity', 'AZ', 'AZ', 0, '{}', '["register"]', 'read', NULL);
CREATE TABLE "assets" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "id" TEXT NOT NULL UNIQUE, "dataset" TEXT, "private" BOOLEAN, "name" TEXT NOT NULL, "names" TEXT, "aliases" TEXT, "kind" TEXT NOT NULL, "commodity" TEXT, "geometry" GEOMETRY, "uncertainty_m" REAL, "basis" TEXT, "place_source" TEXT, "host_country" TEXT, "capacity" REAL, "capacity_unit" TEXT, "part_of" TEXT, "external_ids" TEXT, "sources" TEXT NOT NULL, "checked" TEXT NOT NULL, "note" TEXT);
INSERT INTO "assets" VALUES (1, 'a-depot', 'curated', 0, 'Oil depot', '{}', '[]', 'oil-depot', 'oil products', X'47500001E61000000101000000A4703D0AD7A33E406666666666464740', 1500.0, 'site', 'news', 'UA', NULL, NULL, NULL, '{}', '["news"]', 'read', NULL);
INSERT INTO "assets" VALUES (2, 'a-line', 'curated', 0, 'Pipeline', '{}', '[]', 'pipeline', 'gas', X'47500003E6100000ABECBB22F8673C403A0664AF77773C408369183E22A246402B306475ABD74640010200000003000000ABECBB22F8673C402B306475ABD7464038328FFCC1703C40CD1E680586A846403A0664AF77773C408369183E22A24640', 30000.0, 'settlement', 'news', NULL, NULL, NULL, NULL, '{}', '["news"]', 'excerpt', NULL);
CREATE VIRTUAL TABLE "rtree_assets_geometry" USING rtree(id, minx, maxx, miny, maxy);
INSERT INTO "rtree_assets_geometry" VALUES (1, 3.06399993896484375e+01, 3.06400032043457031e+01, 4.65499992370605468e+01, 4.65500068664550781e+01);
INSERT INTO "rtree_assets_geometry" VALUES (2, 2.84061298370361328e+01, 2.84666728973388671e+01, 4.52666664123535156e+01, 4.56849212646484375e+01);
CREATE TABLE "strikes" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "id" TEXT NOT NULL UNIQUE, "dataset" TEXT, "private" BOOLEAN, "title" TEXT NOT NULL, "when" TEXT NOT NULL, "when_note" TEXT, "place" TEXT NOT NULL, "region" TEXT, "host_country" TEXT, "geometry" POINT, "uncertainty_m" REAL, "basis" TEXT, "place_source" TEXT, "attacker" TEXT, "weapons" TEXT, "damage" TEXT, "killed_min" INTEGER, "killed_max" INTEGER, "injured_min" INTEGER, "injured_max" INTEGER, "casualties" TEXT, "targets" TEXT, "target_kinds" TEXT, "status" TEXT NOT NULL, "status_note" TEXT, "sources" TEXT NOT NULL, "checked" TEXT NOT NULL, "note" TEXT, "day_first" DATE, "day_last" DATE);
INSERT INTO "strikes" VALUES (1, 'depot-2025-08-08', 'curated', 0, 'Oil depot, Odesa', '2025-08-08', NULL, 'Odesa', 'Odesa oblast', 'UA', X'47500001E61000000101000000A4703D0AD7A33E406666666666464740', 1500.0, 'site', 'news', NULL, '[{"count_max":17,"count_min":17,"kind":"drone"}]', NULL, NULL, 0, 4, NULL, NULL, '["oil depot"]', '["oil-depot"]', 'reported', NULL, '["news"]', 'read', NULL, '2025-08-08', '2025-08-08');
INSERT INTO "strikes" VALUES (2, 'depot-2025-08', 'curated', 0, 'Oil depot near Odesa', '2025-08', NULL, 'Odesa', NULL, 'UA', NULL, NULL, NULL, NULL, NULL, '[]', NULL, NULL, NULL, NULL, NULL, NULL, '[]', '[]', 'draft', NULL, '["news"]', 'unverified', NULL, '2025-08-01', '2025-08-31');
CREATE VIRTUAL TABLE "rtree_strikes_geometry" USING rtree(id, minx, maxx, miny, maxy);
INSERT INTO "rtree_strikes_geometry" VALUES (1, 3.06399993896484375e+01, 3.06400032043457031e+01, 4.65499992370605468e+01, 4.65500068664550781e+01);
CREATE TABLE "claims" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "id" TEXT NOT NULL UNIQUE, "dataset" TEXT, "private" BOOLEAN, "record" TEXT NOT NULL, "field" TEXT NOT NULL, "value" TEXT NOT NULL, "quote" TEXT, "source" TEXT NOT NULL, "checked" TEXT NOT NULL);
INSERT INTO "claims" VALUES (1, 'depot-2025-08-08/when/1', 'curated', 0, 'depot-2025-08-08', 'when', 'the night of 8 August', NULL, 'news', 'read');
CREATE TABLE "stakes" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "id" TEXT NOT NULL UNIQUE, "dataset" TEXT, "private" BOOLEAN, "owned" TEXT NOT NULL, "owner" TEXT NOT NULL, "share_min" REAL NOT NULL, "share_max" REAL NOT NULL, "since" TEXT, "until" TEXT, "imputed" BOOLEAN, "source" TEXT NOT NULL, "checked" TEXT NOT NULL, "note" TEXT);
INSERT INTO "stakes" VALUES (1, 'oil-company/a-depot', 'curated', 0, 'a-depot', 'oil-company', 100.0, 100.0, '2008', NULL, 0, 'register', 'read', NULL);
INSERT INTO "stakes" VALUES (2, 'state-az/oil-company', 'curated', 0, 'oil-company', 'state-az', 75.0, 100.0, NULL, NULL, 0, 'register', 'read', NULL);
CREATE TABLE "relations" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "id" TEXT NOT NULL UNIQUE, "dataset" TEXT, "private" BOOLEAN, "asset" TEXT NOT NULL, "entity" TEXT NOT NULL, "relation" TEXT NOT NULL, "strike" TEXT, "since" TEXT, "until" TEXT, "source" TEXT NOT NULL, "checked" TEXT NOT NULL, "note" TEXT);
INSERT INTO "relations" VALUES (1, 'oil-company-operator-a-depot', 'curated', 0, 'a-depot', 'oil-company', 'operator', NULL, NULL, NULL, 'register', 'read', NULL);
CREATE TABLE "controls" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "id" TEXT NOT NULL UNIQUE, "dataset" TEXT, "private" BOOLEAN, "controlled" TEXT NOT NULL, "controller" TEXT NOT NULL, "kind" TEXT NOT NULL, "since" TEXT, "until" TEXT, "source" TEXT NOT NULL, "checked" TEXT NOT NULL, "note" TEXT);
CREATE TABLE "decisions" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "id" TEXT NOT NULL UNIQUE, "dataset" TEXT, "private" BOOLEAN, "strike" TEXT NOT NULL, "asset" TEXT, "verdict" TEXT NOT NULL, "undoes" TEXT, "who" TEXT NOT NULL, "when" TEXT NOT NULL, "why" TEXT NOT NULL, "sources" TEXT);
INSERT INTO "decisions" VALUES (1, 'depot-2025-08-08/a-depot', 'curated', 0, 'depot-2025-08-08', 'a-depot', 'confirmed', NULL, 'Ann', '2025-08-09', 'The report names the depot.', '["news"]');
CREATE TABLE "identities" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "id" TEXT NOT NULL UNIQUE, "dataset" TEXT, "private" BOOLEAN, "one" TEXT NOT NULL, "other" TEXT NOT NULL, "verdict" TEXT NOT NULL, "who" TEXT NOT NULL, "when" TEXT NOT NULL, "why" TEXT NOT NULL);
CREATE TABLE history (
  seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  "at" DATETIME NOT NULL,
  who TEXT NOT NULL,
  noun TEXT NOT NULL,
  record TEXT NOT NULL,
  "before" TEXT,
  "after" TEXT
);
INSERT INTO "history" VALUES (1, '2026-11-27T00:28:49.512Z', 'strikeatlas init', 'sources', 'news', NULL, '{"archive_url":null,"dataset":"curated","id":"news","language":"en","licence":null,"private":false,"published":"2025-08-08","publisher":"Example News","retrieved":null,"title":"Depot hit twice","url":"https://example.org/depot"}');
INSERT INTO "history" VALUES (2, '2026-11-27T00:28:49.512Z', 'strikeatlas init', 'sources', 'register', NULL, '{"archive_url":null,"dataset":"curated","id":"register","language":null,"licence":null,"private":false,"published":null,"publisher":"Example Register","retrieved":null,"title":null,"url":"https://example.org/register"}');
INSERT INTO "history" VALUES (3, '2026-11-27T00:28:49.512Z', 'strikeatlas init', 'entities', 'state-az', NULL, '{"aliases":[],"checked":"read","dataset":"curated","external_ids":{},"headquartered_in":"AZ","id":"state-az","joint":false,"name":"Azerbaijan","names":{},"note":null,"private":false,"registered_in":"AZ","sources":["register"],"type":"state"}');
INSERT INTO "history" VALUES (4, '2026-11-27T00:28:49.512Z', 'strikeatlas init', 'entities', 'oil-company', NULL, '{"aliases":[],"checked":"read","dataset":"curated","external_ids":{},"headquartered_in":"AZ","id":"oil-company","joint":false,"name":"Oil Company","names":{"uk":"Нафтова компанія"},"note":null,"private":false,"registered_in":"AZ","sources":["register"],"type":"registeredEntity"}');
INSERT INTO "history" VALUES (5, '2026-11-27T00:28:49.512Z', 'strikeatlas init', 'assets', 'a-depot', NULL, '{"aliases":[],"basis":"site","capacity":null,"capacity_unit":null,"checked":"read","commodity":"oil products","dataset":"curated","external_ids":{},"geometry":"POINT (30.64 46.55)","host_country":"UA","id":"a-depot","kind":"oil-depot","name":"Oil depot","names":{},"note":null,"part_of":null,"place_source":"news","private":false,"sources":["news"],"uncertainty_m":1500.0}');
INSERT INTO "history" VALUES (6, '2026-11-27T00:28:49.512Z', 'strikeatlas init', 'assets', 'a-line', NULL, '{"aliases":[],"basis":"settlement","capacity":null,"capacity_unit":null,"checked":"excerpt","commodity":"gas","dataset":"curated","external_ids":{},"geometry":"LINESTRING (28.40613 45.68492, 28.44046 45.31659, 28.46667 45.26667)","host_country":null,"id":"a-line","kind":"pipeline","name":"Pipeline","names":{},"note":null,"part_of":null,"place_source":"news","private":false,"sources":["news"],"uncertainty_m":30000.0}');
INSERT INTO "history" VALUES (7, '2026-11-27T00:28:49.512Z', 'strikeatlas init', 'strikes', 'depot-2025-08-08', NULL, '{"attacker":null,"basis":"site","casualties":null,"checked":"read","damage":null,"dataset":"curated","geometry":"POINT (30.64 46.55)","host_country":"UA","id":"depot-2025-08-08","injured_max":null,"injured_min":4,"killed_max":0,"killed_min":null,"note":null,"place":"Odesa","place_source":"news","private":false,"region":"Odesa oblast","sources":["news"],"status":"reported","status_note":null,"target_kinds":["oil-depot"],"targets":["oil depot"],"title":"Oil depot, Odesa","uncertainty_m":1500.0,"weapons":[{"count_max":17,"count_min":17,"kind":"drone"}],"when":"2025-08-08","when_note":null}');
INSERT INTO "history" VALUES (8, '2026-11-27T00:28:49.512Z', 'strikeatlas init', 'strikes', 'depot-2025-08', NULL, '{"attacker":null,"basis":null,"casualties":null,"checked":"unverified","damage":null,"dataset":"curated","geometry":null,"host_country":"UA","id":"depot-2025-08","injured_max":null,"injured_min":null,"killed_max":null,"killed_min":null,"note":null,"place":"Odesa","place_source":null,"private":false,"region":null,"sources":["news"],"status":"draft","status_note":null,"target_kinds":[],"targets":[],"title":"Oil depot, Odesa, again","uncertainty_m":null,"weapons":[],"when":"2025-08","when_note":null}');
INSERT INTO "history" VALUES (9, '2026-11-27T00:28:49.512Z', 'strikeatlas init', 'claims', 'depot-2025-08-08/when/1', NULL, '{"checked":"read","dataset":"curated","field":"when","id":"depot-2025-08-08/when/1","private":false,"quote":null,"record":"depot-2025-08-08","source":"news","value":"the night of 8 August"}');
INSERT INTO "history" VALUES (10, '2026-11-27T00:28:49.512Z', 'strikeatlas init', 'claims', 'depot-2025-08-08/weapons/1', NULL, '{"checked":"read","dataset":"curated","field":"weapons","id":"depot-2025-08-08/weapons/1","private":false,"quote":null,"record":"depot-2025-08-08","source":"news","value":"17 drones"}');
INSERT INTO "history" VALUES (11, '2026-11-27T00:28:49.512Z', 'strikeatlas init', 'stakes', 'oil-company/a-depot', NULL, '{"checked":"read","dataset":"curated","id":"oil-company/a-depot","imputed":false,"note":null,"owned":"a-depot","owner":"oil-company","private":false,"share_max":100.0,"share_min":100.0,"since":"2008","source":"register","until":null}');
INSERT INTO "history" VALUES (12, '2026-11-27T00:28:49.512Z', 'strikeatlas init', 'stakes', 'state-az/oil-company', NULL, '{"checked":"read","dataset":"curated","id":"state-az/oil-company","imputed":false,"note":null,"owned":"oil-company","owner":"state-az","private":false,"share_max":100.0,"share_min":75.0,"since":null,"source":"register","until":null}');
INSERT INTO "history" VALUES (13, '2026-11-27T00:28:49.512Z', 'strikeatlas init', 'relations', 'oil-company-operator-a-depot', NULL, '{"asset":"a-depot","checked":"read","dataset":"curated","entity":"oil-company","id":"oil-company-operator-a-depot","note":null,"private":false,"relation":"operator","since":null,"source":"register","strike":null,"until":null}');
INSERT INTO "history" VALUES (14, '2026-11-27T00:28:49.512Z', 'strikeatlas init', 'decisions', 'depot-2025-08-08/a-depot', NULL, '{"asset":"a-depot","dataset":"curated","id":"depot-2025-08-08/a-depot","private":false,"sources":["news"],"strike":"depot-2025-08-08","undoes":null,"verdict":"confirmed","when":"2025-08-09","who":"Ann","why":"The report names the depot."}');
INSERT INTO "history" VALUES (15, '2026-11-27T00:28:56.661Z', 'Ann', 'strikes', 'depot-2025-08', '{"attacker":null,"basis":null,"casualties":null,"checked":"unverified","damage":null,"dataset":"curated","geometry":null,"host_country":"UA","id":"depot-2025-08","injured_max":null,"injured_min":null,"killed_max":null,"killed_min":null,"note":null,"place":"Odesa","place_source":null,"private":false,"region":null,"sources":["news"],"status":"draft","status_note":null,"target_kinds":[],"targets":[],"title":"Oil depot, Odesa, again","uncertainty_m":null,"weapons":[],"when":"2025-08","when_note":null}', '{"attacker":null,"basis":null,"casualties":null,"checked":"unverified","damage":null,"dataset":"curated","geometry":null,"host_country":"UA","id":"depot-2025-08","injured_max":null,"injured_min":null,"killed_max":null,"killed_min":null,"note":null,"place":"Odesa","place_source":null,"private":false,"region":null,"sources":["news"],"status":"draft","status_note":null,"target_kinds":[],"targets":[],"title":"Oil depot near Odesa","uncertainty_m":null,"weapons":[],"when":"2025-08","when_note":null}');
INSERT INTO "history" VALUES (16, '2026-11-27T00:28:56.661Z', 'Ann', 'claims', 'depot-2025-08-08/weapons/1', '{"checked":"read","dataset":"curated","field":"weapons","id":"depot-2025-08-08/weapons/1","private":false,"quote":null,"record":"depot-2025-08-08","source":"news","value":"17 drones"}', NULL);
CREATE TABLE "strikeatlas" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "schema_version" INTEGER NOT NULL);
INSERT INTO "strikeatlas" VALUES (1, 1);
CREATE TABLE "attributions" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "id" TEXT, "strike" TEXT, "asset" TEXT, "relation" TEXT, "country" TEXT, "entity" TEXT, "share_min" REAL, "share_max" REAL, "state_min" REAL, "state_max" REAL, "holder_min" REAL, "holder_max" REAL, "company_min" REAL, "company_max" REAL, "rests_on" TEXT, "alternative" BOOLEAN, "basis" TEXT, "reason" TEXT, "title" TEXT, "when" TEXT, "day_first" TEXT, "day_last" TEXT, "country_name" TEXT, "geometry" GEOMETRY);
INSERT INTO "attributions" VALUES (1, 'depot-2025-08-08/-/host/UA', 'depot-2025-08-08', NULL, 'host', 'UA', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'decision', 0, 'registration', NULL, 'Oil depot, Odesa', '2025-08-08', '2025-08-08', '2025-08-08', 'Ukraine', X'47500001E61000000101000000A4703D0AD7A33E406666666666464740');
INSERT INTO "attributions" VALUES (2, 'depot-2025-08-08/a-depot/owner/AZ', 'depot-2025-08-08', 'a-depot', 'owner', 'AZ', NULL, 100.0, 100.0, 75.0, 100.0, 0.0, 0.0, 0.0, 25.0, 'decision', 0, 'registration', NULL, 'Oil depot, Odesa', '2025-08-08', '2025-08-08', '2025-08-08', 'Azerbaijan', X'47500001E61000000101000000A4703D0AD7A33E406666666666464740');
INSERT INTO "attributions" VALUES (3, 'depot-2025-08-08/a-depot/operator/oil-company', 'depot-2025-08-08', 'a-depot', 'operator', 'AZ', 'oil-company', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'decision', 0, 'registration', NULL, 'Oil depot, Odesa', '2025-08-08', '2025-08-08', '2025-08-08', 'Azerbaijan', X'47500001E61000000101000000A4703D0AD7A33E406666666666464740');
INSERT INTO "attributions" VALUES (4, 'depot-2025-08/-/host/UA', 'depot-2025-08', NULL, 'host', 'UA', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'nothing', 0, 'registration', NULL, 'Oil depot near Odesa', '2025-08', '2025-08-01', '2025-08-31', 'Ukraine', NULL);
CREATE VIRTUAL TABLE "rtree_attributions_geometry" USING rtree(id, minx, maxx, miny, maxy);
INSERT INTO "rtree_attributions_geometry" VALUES (1, 3.06399993896484375e+01, 3.06400032043457031e+01, 4.65499992370605468e+01, 4.65500068664550781e+01);
INSERT INTO "rtree_attributions_geometry" VALUES (2, 3.06399993896484375e+01, 3.06400032043457031e+01, 4.65499992370605468e+01, 4.65500068664550781e+01);
INSERT INTO "rtree_attributions_geometry" VALUES (3, 3.06399993896484375e+01, 3.06400032043457031e+01, 4.65499992370605468e+01, 4.65500068664550781e+01);
CREATE TABLE "matches" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "strike" TEXT, "asset" TEXT, "probability" REAL, "distance_m" REAL, "reasons" TEXT);
INSERT INTO "matches" VALUES (1, 'depot-2025-08-08', 'a-depot', 5.71833875769782729e-01, 0.0, '[{"name":"prior","value":1.0,"weight":-1.57,"detail":"one of the assets in reach, against what the layer lacks"},{"name":"area","value":-1.551656846944165,"weight":-0.620662738777666,"detail":"the place may be anywhere on 5 km²"},{"name":"same-kind","value":1.0,"weight":2.48,"detail":"reported as oil-depot"}]');
INSERT INTO "matches" VALUES (2, 'depot-2025-08-08', NULL, 4.28166124230217326e-01, NULL, '[{"name":"missing-asset","value":0.3853495118071956,"weight":0.0,"detail":"0.39: an asset the layer lacks"},{"name":"no-asset","value":0.042816612423021705,"weight":0.0,"detail":"0.04: no asset of the kinds that the layer holds"}]');
INSERT INTO "matches" VALUES (3, 'depot-2025-08', NULL, 1.0, NULL, '[{"name":"missing-asset","value":0.9,"weight":0.0,"detail":"0.90: an asset the layer lacks"},{"name":"no-asset","value":0.09999999999999998,"weight":0.0,"detail":"0.10: no asset of the kinds that the layer holds"}]');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES ('strikeatlas', 1);
INSERT INTO sqlite_sequence VALUES ('sources', 2);
INSERT INTO sqlite_sequence VALUES ('history', 16);
INSERT INTO sqlite_sequence VALUES ('entities', 2);
INSERT INTO sqlite_sequence VALUES ('assets', 2);
INSERT INTO sqlite_sequence VALUES ('strikes', 2);
INSERT INTO sqlite_sequence VALUES ('claims', 2);
INSERT INTO sqlite_sequence VALUES ('stakes', 2);
INSERT INTO sqlite_sequence VALUES ('relations', 1);
INSERT INTO sqlite_sequence VALUES ('decisions', 1);
INSERT INTO sqlite_sequence VALUES ('attributions', 4);
INSERT INTO sqlite_sequence VALUES ('matches', 3);
CREATE TRIGGER "rtree_assets_geometry_insert" AFTER INSERT ON "assets" WHEN (NEW."geometry" NOTNULL AND NOT ST_IsEmpty(NEW."geometry")) BEGIN INSERT OR REPLACE INTO "rtree_assets_geometry" VALUES (NEW.fid, ST_MinX(NEW."geometry"), ST_MaxX(NEW."geometry"), ST_MinY(NEW."geometry"), ST_MaxY(NEW."geometry")); END;
CREATE TRIGGER "rtree_assets_geometry_update2" AFTER UPDATE OF "geometry" ON "assets" WHEN OLD.fid = NEW.fid AND (NEW."geometry" ISNULL OR ST_IsEmpty(NEW."geometry")) BEGIN DELETE FROM "rtree_assets_geometry" WHERE id = OLD.fid; END;
CREATE TRIGGER "rtree_assets_geometry_update4" AFTER UPDATE ON "assets" WHEN OLD.fid != NEW.fid AND (NEW."geometry" ISNULL OR ST_IsEmpty(NEW."geometry")) BEGIN DELETE FROM "rtree_assets_geometry" WHERE id IN (OLD.fid, NEW.fid); END;
CREATE TRIGGER "rtree_assets_geometry_update5" AFTER UPDATE ON "assets" WHEN OLD.fid != NEW.fid AND (NEW."geometry" NOTNULL AND NOT ST_IsEmpty(NEW."geometry")) BEGIN DELETE FROM "rtree_assets_geometry" WHERE id = OLD.fid; INSERT OR REPLACE INTO "rtree_assets_geometry" VALUES (NEW.fid, ST_MinX(NEW."geometry"), ST_MaxX(NEW."geometry"), ST_MinY(NEW."geometry"), ST_MaxY(NEW."geometry")); END;
CREATE TRIGGER "rtree_assets_geometry_update6" AFTER UPDATE OF "geometry" ON "assets" WHEN OLD.fid = NEW.fid AND (NEW."geometry" NOTNULL AND NOT ST_IsEmpty(NEW."geometry")) AND (OLD."geometry" NOTNULL AND NOT ST_IsEmpty(OLD."geometry")) BEGIN UPDATE "rtree_assets_geometry" SET minx = ST_MinX(NEW."geometry"), maxx = ST_MaxX(NEW."geometry"), miny = ST_MinY(NEW."geometry"), maxy = ST_MaxY(NEW."geometry") WHERE id = NEW.fid; END;
CREATE TRIGGER "rtree_assets_geometry_update7" AFTER UPDATE OF "geometry" ON "assets" WHEN OLD.fid = NEW.fid AND (NEW."geometry" NOTNULL AND NOT ST_IsEmpty(NEW."geometry")) AND (OLD."geometry" ISNULL OR ST_IsEmpty(OLD."geometry")) BEGIN INSERT INTO "rtree_assets_geometry" VALUES (NEW.fid, ST_MinX(NEW."geometry"), ST_MaxX(NEW."geometry"), ST_MinY(NEW."geometry"), ST_MaxY(NEW."geometry")); END;
CREATE TRIGGER "rtree_assets_geometry_delete" AFTER DELETE ON "assets" WHEN OLD."geometry" NOTNULL BEGIN DELETE FROM "rtree_assets_geometry" WHERE id = OLD.fid; END;
CREATE TRIGGER "rtree_strikes_geometry_insert" AFTER INSERT ON "strikes" WHEN (NEW."geometry" NOTNULL AND NOT ST_IsEmpty(NEW."geometry")) BEGIN INSERT OR REPLACE INTO "rtree_strikes_geometry" VALUES (NEW.fid, ST_MinX(NEW."geometry"), ST_MaxX(NEW."geometry"), ST_MinY(NEW."geometry"), ST_MaxY(NEW."geometry")); END;
CREATE TRIGGER "rtree_strikes_geometry_update2" AFTER UPDATE OF "geometry" ON "strikes" WHEN OLD.fid = NEW.fid AND (NEW."geometry" ISNULL OR ST_IsEmpty(NEW."geometry")) BEGIN DELETE FROM "rtree_strikes_geometry" WHERE id = OLD.fid; END;
CREATE TRIGGER "rtree_strikes_geometry_update4" AFTER UPDATE ON "strikes" WHEN OLD.fid != NEW.fid AND (NEW."geometry" ISNULL OR ST_IsEmpty(NEW."geometry")) BEGIN DELETE FROM "rtree_strikes_geometry" WHERE id IN (OLD.fid, NEW.fid); END;
CREATE TRIGGER "rtree_strikes_geometry_update5" AFTER UPDATE ON "strikes" WHEN OLD.fid != NEW.fid AND (NEW."geometry" NOTNULL AND NOT ST_IsEmpty(NEW."geometry")) BEGIN DELETE FROM "rtree_strikes_geometry" WHERE id = OLD.fid; INSERT OR REPLACE INTO "rtree_strikes_geometry" VALUES (NEW.fid, ST_MinX(NEW."geometry"), ST_MaxX(NEW."geometry"), ST_MinY(NEW."geometry"), ST_MaxY(NEW."geometry")); END;
CREATE TRIGGER "rtree_strikes_geometry_update6" AFTER UPDATE OF "geometry" ON "strikes" WHEN OLD.fid = NEW.fid AND (NEW."geometry" NOTNULL AND NOT ST_IsEmpty(NEW."geometry")) AND (OLD."geometry" NOTNULL AND NOT ST_IsEmpty(OLD."geometry")) BEGIN UPDATE "rtree_strikes_geometry" SET minx = ST_MinX(NEW."geometry"), maxx = ST_MaxX(NEW."geometry"), miny = ST_MinY(NEW."geometry"), maxy = ST_MaxY(NEW."geometry") WHERE id = NEW.fid; END;
CREATE TRIGGER "rtree_strikes_geometry_update7" AFTER UPDATE OF "geometry" ON "strikes" WHEN OLD.fid = NEW.fid AND (NEW."geometry" NOTNULL AND NOT ST_IsEmpty(NEW."geometry")) AND (OLD."geometry" ISNULL OR ST_IsEmpty(OLD."geometry")) BEGIN INSERT INTO "rtree_strikes_geometry" VALUES (NEW.fid, ST_MinX(NEW."geometry"), ST_MaxX(NEW."geometry"), ST_MinY(NEW."geometry"), ST_MaxY(NEW."geometry")); END;
CREATE TRIGGER "rtree_strikes_geometry_delete" AFTER DELETE ON "strikes" WHEN OLD."geometry" NOTNULL BEGIN DELETE FROM "rtree_strikes_geometry" WHERE id = OLD.fid; END;
CREATE TRIGGER "history_no_update" BEFORE UPDATE ON "history" BEGIN SELECT RAISE(ABORT, 'history is only ever added to'); END;
CREATE TRIGGER "history_no_delete" BEFORE DELETE ON "history" BEGIN SELECT RAISE(ABORT, 'history is only ever added to'); END;
CREATE TRIGGER "history_no_replace" BEFORE INSERT ON "history" WHEN EXISTS (SELECT 1 FROM "history" WHERE "seq" = NEW."seq") BEGIN SELECT RAISE(ABORT, 'history is only ever added to'); END;
CREATE TRIGGER "identities_no_update" BEFORE UPDATE ON "identities" BEGIN SELECT RAISE(ABORT, 'identities is only ever added to'); END;
CREATE TRIGGER "identities_no_delete" BEFORE DELETE ON "identities" BEGIN SELECT RAISE(ABORT, 'identities is only ever added to'); END;
CREATE TRIGGER "identities_no_replace" BEFORE INSERT ON "identities" WHEN EXISTS (SELECT 1 FROM "identities" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, 'identities is only ever added to'); END;
CREATE TRIGGER "decisions_no_update" BEFORE UPDATE ON "decisions" BEGIN SELECT RAISE(ABORT, 'decisions is only ever added to'); END;
CREATE TRIGGER "decisions_no_delete" BEFORE DELETE ON "decisions" BEGIN SELECT RAISE(ABORT, 'decisions is only ever added to'); END;
CREATE TRIGGER "decisions_no_replace" BEFORE INSERT ON "decisions" WHEN EXISTS (SELECT 1 FROM "decisions" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, 'decisions is only ever added to'); END;
CREATE TRIGGER "rtree_attributions_geometry_insert" AFTER INSERT ON "attributions" WHEN (NEW."geometry" NOTNULL AND NOT ST_IsEmpty(NEW."geometry")) BEGIN INSERT OR REPLACE INTO "rtree_attributions_geometry" VALUES (NEW.fid, ST_MinX(NEW."geometry"), ST_MaxX(NEW."geometry"), ST_MinY(NEW."geometry"), ST_MaxY(NEW."geometry")); END;
CREATE TRIGGER "rtree_attributions_geometry_update2" AFTER UPDATE OF "geometry" ON "attributions" WHEN OLD.fid = NEW.fid AND (NEW."geometry" ISNULL OR ST_IsEmpty(NEW."geometry")) BEGIN DELETE FROM "rtree_attributions_geometry" WHERE id = OLD.fid; END;
CREATE TRIGGER "rtree_attributions_geometry_update4" AFTER UPDATE ON "attributions" WHEN OLD.fid != NEW.fid AND (NEW."geometry" ISNULL OR ST_IsEmpty(NEW."geometry")) BEGIN DELETE FROM "rtree_attributions_geometry" WHERE id IN (OLD.fid, NEW.fid); END;
CREATE TRIGGER "rtree_attributions_geometry_update5" AFTER UPDATE ON "attributions" WHEN OLD.fid != NEW.fid AND (NEW."geometry" NOTNULL AND NOT ST_IsEmpty(NEW."geometry")) BEGIN DELETE FROM "rtree_attributions_geometry" WHERE id = OLD.fid; INSERT OR REPLACE INTO "rtree_attributions_geometry" VALUES (NEW.fid, ST_MinX(NEW."geometry"), ST_MaxX(NEW."geometry"), ST_MinY(NEW."geometry"), ST_MaxY(NEW."geometry")); END;
CREATE TRIGGER "rtree_attributions_geometry_update6" AFTER UPDATE OF "geometry" ON "attributions" WHEN OLD.fid = NEW.fid AND (NEW."geometry" NOTNULL AND NOT ST_IsEmpty(NEW."geometry")) AND (OLD."geometry" NOTNULL AND NOT ST_IsEmpty(OLD."geometry")) BEGIN UPDATE "rtree_attributions_geometry" SET minx = ST_MinX(NEW."geometry"), maxx = ST_MaxX(NEW."geometry"), miny = ST_MinY(NEW."geometry"), maxy = ST_MaxY(NEW."geometry") WHERE id = NEW.fid; END;
CREATE TRIGGER "rtree_attributions_geometry_update7" AFTER UPDATE OF "geometry" ON "attributions" WHEN OLD.fid = NEW.fid AND (NEW."geometry" NOTNULL AND NOT ST_IsEmpty(NEW."geometry")) AND (OLD."geometry" ISNULL OR ST_IsEmpty(OLD."geometry")) BEGIN INSERT INTO "rtree_attributions_geometry" VALUES (NEW.fid, ST_MinX(NEW."geometry"), ST_MaxX(NEW."geometry"), ST_MinY(NEW."geometry"), ST_MaxY(NEW."geometry")); END;
CREATE TRIGGER "rtree_attributions_geometry_delete" AFTER DELETE ON "attributions" WHEN OLD."geometry" NOTNULL BEGIN DELETE FROM "rtree_attributions_geometry" WHERE id = OLD.fid; END;
COMMIT;
