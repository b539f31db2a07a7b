"""Who may read a store beside its owner, and which rows: nothing private, by any table, whatever a program asks for.

What is published by a policy of disclosure is no row of these tables: while it withholds anything, none of a record is
shown.

Row-level security holds for every role but the owner of the tables, who writes by this program, and superusers.
"""

from __future__ import annotations

from collections.abc import Iterator

from layers.geopackage import geopackage
from layers.model.records import REFERENCES
from layers.store.connection import Connection
from layers.store.migrations.tables import HEAT, HEAT_LOADS, LISTED, PRIVATE_REMOVED
from layers.store.policy_history import POLICY
from layers.store.row_mapping import TABLES

#: The role that may read what is public, made with the first store by whoever may make roles; others are members of it.
READER = "strikeatlas_reader"
#: The function that lets a role read.
ADMIT = "strikeatlas_admit"

_DATASETS, _IDS, _EVER = "strikeatlas_private_datasets", "strikeatlas_private_ids", "strikeatlas_ever_private"
#: Whether the policy of the store, if it has one, withholds nothing.
_OPEN = "strikeatlas_withholds_nothing"
_RULES = " + ".join(
    f"json_array_length(CAST(\"after\" AS json) -> '{name}')" for name in ("embargo", "rounding", "withhold")
)
_DEFINER = "LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT"


def protect(connection: Connection) -> None:
    """Secure the rows of every table of a new store, and let `READER` read, within the caller's transaction."""
    for statement in (*_functions(), *_policies()):
        connection.execute(statement)
    connection.execute(
        f"""DO $body$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{READER}') THEN CREATE ROLE {READER} NOLOGIN; END IF;
  PERFORM {ADMIT}('{READER}');
EXCEPTION WHEN insufficient_privilege THEN
  NULL;
END $body$"""
    )


def derived_policy(name: str) -> Iterator[str]:
    """Statements that secure a derived layer: it rests on all records, so that it is shown while none is private."""
    yield from _policy(name, f"(SELECT {_OPEN}()) AND NOT EXISTS (SELECT {_IDS}())")


def _functions() -> Iterator[str]:
    """What is private, for policies of roles that may not read it themselves. A query calls each once."""
    marked = " UNION ALL ".join(
        f"SELECT id FROM {geopackage.quote(name)} WHERE coalesce(private, TRUE) OR dataset IN ({LISTED})"
        for name in TABLES
    )
    removed = f"SELECT record FROM {PRIVATE_REMOVED}"
    hidden = " OR ".join(f"""({text} NOTNULL AND strpos({text}, '"private":false') = 0)""" for text in _TEXTS)
    for name, query in (
        (_DATASETS, LISTED),
        (_IDS, f"{marked} UNION ALL {removed}"),
        (_EVER, f"SELECT {_IDS}() UNION SELECT record FROM history WHERE {hidden}"),
    ):
        yield f"CREATE FUNCTION {name}() RETURNS SETOF text {_DEFINER} AS $body$ {query} $body$"
    last = f"SELECT \"after\" FROM history WHERE noun = '{POLICY}' ORDER BY seq DESC LIMIT 1"
    yield f"""CREATE FUNCTION {_OPEN}() RETURNS boolean {_DEFINER} AS
$body$ SELECT NOT EXISTS (SELECT 1 FROM ({last}) AS last WHERE {_RULES} > 0) $body$"""
    granted = ", ".join(map(geopackage.quote, (*TABLES, HEAT, HEAT_LOADS, "strikeatlas")))
    shown = 'seq, "at", who, noun, record, "before", "after", why, hash'
    yield f"""CREATE FUNCTION {ADMIT}(reader text) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $body$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), reader);
  EXECUTE format('GRANT SELECT ON {granted} TO %I', reader);
  -- Whoever has the salt of a row can find by trial what its hash was made of.
  EXECUTE format('GRANT SELECT ({shown}) ON history TO %I', reader);
  -- Derived layers are made anew by every load.
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO %I', current_schema(), reader);
END $body$"""


_TEXTS = ('"before"', '"after"')


def _policies() -> Iterator[str]:
    for name in TABLES:
        yield from _policy(name, " AND ".join((f"(SELECT {_OPEN}())", *_conditions(name))))
    there = " OR ".join(
        f"(noun = '{name}' AND EXISTS (SELECT 1 FROM {geopackage.quote(name)} AS now WHERE now.id = history.record))"
        for name in TABLES
    )
    yield from _policy("history", f"(SELECT {_OPEN}()) AND record NOT IN (SELECT {_EVER}()) AND ({there})")
    for name in (HEAT, HEAT_LOADS):
        yield from _policy(name, f"dataset NOT IN (SELECT {_DATASETS}())")
    yield from _policy("strikeatlas", "TRUE")


def _conditions(name: str) -> Iterator[str]:
    """What holds for a record that is shown: neither it is private, nor anything that it refers to."""
    yield f"private = FALSE AND coalesce(dataset, '') NOT IN (SELECT {_DATASETS}())"
    lists = {column.name for column in TABLES[name].columns if column.type == "json"}
    for column in REFERENCES.get(name, {}):
        quoted = geopackage.quote(column)
        if column in lists:
            yield f"NOT jsonb_exists_any(CAST({quoted} AS jsonb), ARRAY(SELECT {_IDS}()))"
        else:
            yield f"coalesce({quoted}, '') NOT IN (SELECT {_IDS}())"


def _policy(name: str, condition: str) -> Iterator[str]:
    quoted = geopackage.quote(name)
    yield f"ALTER TABLE {quoted} ENABLE ROW LEVEL SECURITY"
    # Who may write, by what is granted, adds what the guards let pass, and changes what is shown to it.
    yield f"CREATE POLICY shown ON {quoted} USING ({condition}) WITH CHECK (TRUE)"
