"""The tables of a log in PostgreSQL, who may do what to them, and the guard rails that hold for the owner too.

Rights stop everybody but the owner: the writers' role may read and add, and nothing else. Triggers stop the owner's mistakes.
Neither proves anything against somebody who owns the server: the tree and witnesses do.
"""

from __future__ import annotations

from tallybook.ledger.entry import DESTRUCTION

APPLICATION = "tallybook ledger"
"""In the table of settings, so that no other schema is taken for a log."""
FORM = "1"

# Leaves are canonical JSON: a quotation mark inside a text is escaped there, so these bytes stand nowhere else.
_MARK = f'"kind":"{DESTRUCTION}"'.encode().hex()

TABLES = """
CREATE TABLE setting (name text PRIMARY KEY, value text NOT NULL);
CREATE TABLE entry (
    seq bigint PRIMARY KEY CHECK (seq >= 0), subject_key bigint NOT NULL,
    leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
    salt bytea, leaf bytea NOT NULL, body bytea
);
ALTER TABLE entry ALTER leaf SET STORAGE EXTERNAL, ALTER body SET COMPRESSION pglz;
CREATE INDEX entry_subject ON entry (subject_key);
CREATE INDEX entry_destruction ON entry (seq) WHERE position('\\xMARK'::bytea IN leaf) > 0;
CREATE TABLE tile (
    level smallint NOT NULL, idx bigint NOT NULL, root bytea NOT NULL CHECK (octet_length(root) = 32),
    hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192), PRIMARY KEY (level, idx)
);
ALTER TABLE tile ALTER hashes SET STORAGE EXTERNAL;
CREATE TABLE checkpoint (size bigint PRIMARY KEY, note text NOT NULL);
CREATE TABLE seen (origin text NOT NULL, size bigint NOT NULL, note text NOT NULL, PRIMARY KEY (origin, size));
CREATE TABLE blob (sha256 text PRIMARY KEY, bytes bytea NOT NULL);
ALTER TABLE blob ALTER bytes SET STORAGE EXTERNAL;
""".replace("MARK", _MARK)

GUARDS = (
    """
CREATE FUNCTION is_destruction(leaf bytea, about bigint) RETURNS boolean LANGUAGE sql STABLE
RETURN position('\\xMARK'::bytea IN leaf) > 0 AND position(convert_to('"id":"' || about || '"', 'UTF8') IN leaf) > 0;

CREATE FUNCTION entries_in_order() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $body$
DECLARE lowest bigint; highest bigint; many bigint;
BEGIN
    SELECT min(seq), max(seq), count(*) INTO lowest, highest, many FROM added;
    IF many > 0 AND (highest - lowest + 1 <> many OR highest <> (SELECT max(seq) FROM entry)
        OR (lowest > 0 AND NOT EXISTS (SELECT FROM entry WHERE seq = lowest - 1)))
    THEN RAISE EXCEPTION 'entries are numbered in order'; END IF;
    RETURN NULL;
END $body$;
CREATE TRIGGER entry_in_order AFTER INSERT ON entry REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION entries_in_order();

CREATE FUNCTION only_a_body_goes() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $body$
BEGIN
    IF NEW.seq = OLD.seq AND NEW.leaf = OLD.leaf AND NEW.leaf_hash = OLD.leaf_hash AND NEW.subject_key = OLD.subject_key
        AND NEW.body IS NULL AND NEW.salt IS NULL
        AND EXISTS (SELECT FROM entry e WHERE e.seq > OLD.seq AND is_destruction(e.leaf, OLD.seq))
    THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'entries are never changed; a body goes only after an entry about its destruction';
END $body$;
CREATE TRIGGER entry_unchanged BEFORE UPDATE ON entry FOR EACH ROW EXECUTE FUNCTION only_a_body_goes();

CREATE FUNCTION only_named_bytes_go() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $body$
BEGIN
    IF EXISTS (
        SELECT FROM entry WHERE position('\\xMARK'::bytea IN leaf) > 0
        AND position(convert_to('"sha256":"' || OLD.sha256 || '"', 'UTF8') IN body) > 0
    ) THEN RETURN OLD; END IF;
    RAISE EXCEPTION 'bytes go only after an entry about their destruction';
END $body$;
CREATE TRIGGER blob_stays BEFORE DELETE ON blob FOR EACH ROW EXECUTE FUNCTION only_named_bytes_go();

CREATE FUNCTION destroy_body(about bigint, named text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$
BEGIN
    IF NOT EXISTS (SELECT FROM entry WHERE seq > about AND is_destruction(leaf, about)) THEN RETURN false; END IF;
    IF named IS NOT NULL AND EXISTS (
        SELECT FROM entry WHERE seq = about AND position(convert_to('"sha256":"' || named || '"', 'UTF8') IN body) > 0
    ) THEN DELETE FROM blob WHERE sha256 = named; END IF;
    UPDATE entry SET body = NULL, salt = NULL WHERE seq = about;
    RETURN true;
END $body$;

CREATE FUNCTION nothing_changes() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $body$
BEGIN RAISE EXCEPTION '% of %: nothing is changed or deleted', TG_OP, TG_TABLE_NAME; END $body$;
CREATE TRIGGER entry_stays BEFORE DELETE OR TRUNCATE ON entry FOR EACH STATEMENT EXECUTE FUNCTION nothing_changes();
CREATE TRIGGER blob_unchanged BEFORE UPDATE OR TRUNCATE ON blob FOR EACH STATEMENT EXECUTE FUNCTION nothing_changes();
""".replace("MARK", _MARK)
    + "".join(
        f"CREATE TRIGGER {name}_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION nothing_changes();\n"
        for name in ("tile", "checkpoint", "seen", "setting")
    )
)
"""To be filled in with the name of the schema: what a guard looks at must not depend on who calls."""

RIGHTS = """
GRANT {writer} TO CURRENT_USER;
REVOKE ALL ON SCHEMA {schema} FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC;
GRANT USAGE ON SCHEMA {schema} TO {writer};
GRANT SELECT ON setting TO {writer};
GRANT SELECT, INSERT ON entry, tile, checkpoint, seen, blob TO {writer};
GRANT EXECUTE ON FUNCTION destroy_body(bigint, text) TO {writer};
"""
"""To be filled in with the names of the schema and of the writers' role."""
