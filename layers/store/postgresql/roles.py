"""Who may read a store beside its owner: all of its records while nothing of it is private or withheld, else no row.

One function says which, and row-level security calls it once, before any other condition on a row. An index is searched
before, so that a plan with counts still tells whether an id is taken. Row-level security holds for every role but the
owner of the tables, who writes by this program, and superusers.
"""

from __future__ import annotations

from collections.abc import Iterator

from layers.geopackage import geopackage
from layers.model.records import REFERENCES
from layers.store import idempotency
from layers.store.connection import Connection
from layers.store.migrations.tables import HEAT, HEAT_LOADS, LISTED, PRIVATE_DATASETS, PRIVATE_REMOVED
from layers.store.policy_history import POLICY
from layers.store.row_mapping import TABLES

#: The role that may read what is public, made with the first store by whoever may make roles; others are members of it.
READER = "strikeatlas_reader"
#: The function that lets a role read.
ADMIT = "strikeatlas_admit"
#: The function that says whether nothing is private or withheld.
READABLE = "strikeatlas_readable"

#: Tables whose rows are shown to whoever reads records, and those that are for the owner alone.
_SHOWN = (*TABLES, HEAT, HEAT_LOADS)
_HIDDEN = ("history", "external_edits", "own_write", PRIVATE_DATASETS, PRIVATE_REMOVED, idempotency.TABLE)
# What earlier programs made.
_FORMER = ("private_datasets", "private_ids", "ever_private", "withholds_nothing")
# Typed, so that no operator of somebody else's fits better than those of pg_catalog.
_RULES = " + ".join(
    f"json_array_length(CAST(\"after\" AS json) -> CAST('{name}' AS text))"
    for name in ("embargo", "rounding", "withhold")
)


def search_path(connection: Connection) -> str:
    """The clause by which functions find the tables of the store, and else nothing but what PostgreSQL has."""
    (schema,) = connection.execute("SELECT quote_ident(current_schema())").fetchone()
    # Temporary tables last (PostgreSQL 17, CREATE FUNCTION, "Writing SECURITY DEFINER Functions Safely").
    return f"SET search_path = pg_catalog, {schema}, pg_temp"


def protect(connection: Connection) -> None:
    """Secure the rows of every table, and let `READER` read, within the caller's transaction.

    A store of an earlier program loses what that one granted; roles that could read its records can do so by the rules
    of this one.
    """
    layers = [name for (name,) in connection.execute(_DERIVED, ([*_SHOWN, "history", "strikeatlas"],))]
    for statement in (*_functions(search_path(connection)), *_policies(layers), _ADMISSIONS):
        connection.execute(statement)


def derived_policy(name: str) -> Iterator[str]:
    """Statements that secure a new derived layer, and grant it to whoever reads records."""
    yield from _policy(name)
    yield f"""DO $body$ DECLARE reader text; BEGIN
  FOR reader IN {_READERS} LOOP EXECUTE format('GRANT SELECT ON %I TO %I', '{name}', reader); END LOOP;
END $body$"""


#: Roles that were granted to read strikes.
_READERS = """SELECT DISTINCT rolname FROM pg_class, aclexplode(relacl) AS granted, pg_roles
  WHERE pg_class.oid = 'strikes'::regclass AND pg_roles.oid = grantee AND grantee <> relowner
    AND privilege_type = 'SELECT'"""
_DERIVED = """SELECT tablename FROM pg_policies WHERE schemaname = current_schema() AND policyname = 'shown'
  AND tablename <> ALL (CAST(? AS text[]))"""
#: Default privileges for readers, which earlier programs granted.
_DEFAULTS = f"""SELECT DISTINCT rolname FROM pg_default_acl, aclexplode(defaclacl) AS granted, pg_roles
  WHERE defaclnamespace = current_schema()::regnamespace AND defaclrole = current_user::regrole
    AND pg_roles.oid = grantee AND grantee <> defaclrole
    AND (rolname = '{READER}' OR has_table_privilege(rolname, 'strikes', 'SELECT'))"""
#: Whether the rules of readers are those of an earlier program.
IS_FORMER = f"SELECT to_regprocedure('{READABLE}()') IS NULL OR EXISTS ({_DEFAULTS})"

_ADMISSIONS = f"""DO $body$ DECLARE reader text; BEGIN
  BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{READER}') THEN CREATE ROLE {READER} NOLOGIN; END IF;
  EXCEPTION WHEN insufficient_privilege THEN NULL;
  END;
  FOR reader IN {_DEFAULTS} LOOP
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE SELECT ON TABLES FROM %I', current_schema(), reader);
  END LOOP;
  FOR reader IN {_READERS} UNION SELECT rolname FROM pg_roles WHERE rolname = '{READER}' LOOP
    EXECUTE format('REVOKE SELECT ON {", ".join(_HIDDEN)} FROM %I', reader);
    PERFORM {ADMIT}(reader);
  END LOOP;
END $body$"""


def _functions(path: str) -> Iterator[str]:
    """The function that says whether there is anything to hide, and the one that admits roles."""
    closed = [f"SELECT 1 FROM {geopackage.quote(name)} WHERE private IS NOT FALSE" for name in TABLES]
    closed += [LISTED, *_dangling()]
    last = f"SELECT \"after\" FROM history WHERE noun = '{POLICY}' ORDER BY seq DESC LIMIT 1"
    closed.append(f"SELECT 1 FROM ({last}) AS last WHERE {_RULES} > 0")
    conditions = " AND ".join(f"NOT EXISTS ({query})" for query in closed)
    for name in TABLES:
        index = geopackage.quote(f"{name}_private")
        yield f"CREATE INDEX IF NOT EXISTS {index} ON {geopackage.quote(name)} (id) WHERE private IS NOT FALSE"
    yield f"""CREATE OR REPLACE FUNCTION {READABLE}() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER {path} AS
$body$ SELECT {conditions} $body$"""
    shown = ", ".join(map(geopackage.quote, (*_SHOWN, "strikeatlas")))
    yield f"""CREATE OR REPLACE FUNCTION {ADMIT}(reader text) RETURNS void LANGUAGE plpgsql {path} AS $body$
DECLARE layer text;
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', (current_schemas(FALSE))[2], reader);
  EXECUTE format('GRANT SELECT ON {shown} TO %I', reader);
  EXECUTE format('GRANT EXECUTE ON FUNCTION {READABLE}() TO %I', reader);
  FOR layer IN SELECT tablename FROM pg_policies WHERE schemaname = (current_schemas(FALSE))[2]
    AND policyname = 'shown' LOOP
    EXECUTE format('GRANT SELECT ON %I TO %I', layer, reader);
  END LOOP;
END $body$"""
    yield f"REVOKE ALL ON FUNCTION {READABLE}(), {ADMIT}(text) FROM PUBLIC"


def _dangling() -> Iterator[str]:
    """What names a private record that was removed."""
    gone = f"(SELECT record AS key FROM {PRIVATE_REMOVED}) AS gone"
    for name, references in REFERENCES.items():
        lists = {column.name for column in TABLES[name].columns if column.type == "json"}
        for column in references:
            quoted = geopackage.quote(column)
            is_named = f"jsonb_exists(CAST({quoted} AS jsonb), gone.key)" if column in lists else f"{quoted} = gone.key"
            yield f"SELECT 1 FROM {gone}, {geopackage.quote(name)} WHERE {is_named}"


def _policies(layers: list[str]) -> Iterator[str]:
    yield 'DROP POLICY IF EXISTS shown ON "history"'
    yield 'ALTER TABLE "history" ENABLE ROW LEVEL SECURITY'
    for name in (*_SHOWN, *layers):
        yield from _policy(name)
    yield 'DROP POLICY IF EXISTS shown ON "strikeatlas"'
    yield 'ALTER TABLE "strikeatlas" DISABLE ROW LEVEL SECURITY'
    for name in _FORMER:
        yield f"DROP FUNCTION IF EXISTS strikeatlas_{name}()"


def _policy(name: str) -> Iterator[str]:
    quoted = geopackage.quote(name)
    yield f"ALTER TABLE {quoted} ENABLE ROW LEVEL SECURITY"
    yield f"DROP POLICY IF EXISTS shown ON {quoted}"
    # Without a row of the table in it, it is called once for a query, and filters before other conditions do.
    # Who may write, by what is granted, adds what the guards let pass, and changes what is shown to it.
    yield f"CREATE POLICY shown ON {quoted} USING ((SELECT {READABLE}())) WITH CHECK (TRUE)"
