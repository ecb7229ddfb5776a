#include "tipple/destinations/postgres/replaceable.h"

#include <fmt/format.h>

namespace tipple::destinations::postgres {

/// What depends on a table has a row in pg_depend: indexes, constraints, defaults, triggers, rules and so views, policies, publications, statistics,
/// children, sequences. Its row type and its storage for long values are parts of it (deptype i), and other things may use that type. NOT NULL is a
/// constraint since version 18, but not one of those that a user would miss: the new table has it too. A publication of all tables, or of a schema's, has no row
/// there: who follows it would get the new table's rows, and keep those of the old one.
bool is_replaceable(Session& session, const std::string& table) {
    const std::string relation = session.sql().literal(session.sql().table(table));
    return session
        .query_value(fmt::format(
            "SELECT 1 FROM pg_catalog.pg_class AS c WHERE c.oid = {0}::pg_catalog.regclass AND c.relkind = 'r' AND c.relpersistence = 'p' AND NOT "
            "c.relispartition AND c.relowner = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) AND c.relacl IS NULL AND c.reloptions "
            "IS NULL AND c.reltablespace = 0 AND NOT c.relrowsecurity AND NOT c.relhasrules AND NOT c.relhastriggers AND c.relreplident = 'd' AND NOT "
            "EXISTS (SELECT 1 FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND (a.attacl IS NOT NULL OR a.attoptions IS NOT NULL OR "
            "a.attidentity <> '' OR a.attgenerated <> '')) AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_description AS d WHERE d.objoid = c.oid AND "
            "d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass) AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d WHERE d.refclassid = "
            "'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = c.oid AND d.deptype <> 'i' AND NOT (d.classid = "
            "'pg_catalog.pg_constraint'::pg_catalog.regclass AND EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS n WHERE n.oid = d.objid AND n.contype "
            "= 'n'))) AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_type AS t ON d.refobjid IN (t.oid, t.typarray) WHERE "
            "d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = c.reltype AND d.objid NOT IN (t.oid, t.typarray)) AND NOT EXISTS "
            "(SELECT 1 FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = "
            "'e') AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_publication_tables AS p JOIN pg_catalog.pg_namespace AS n ON n.nspname = p.schemaname WHERE n.oid = "
            "c.relnamespace AND p.tablename = c.relname)",
            relation))
        .has_value();
}

}  // namespace tipple::destinations::postgres
