#include "cli/sql_template.h"

#include "cli/project_template.h"

namespace tipple::cli {

namespace {

constexpr const char* project_text = R"text(# A database as a source. What may stand here: tipple help sql, and docs/guide/databases.md.
# First say where it is; then tipple check tells what is there: tables, columns, keys, and which cursors they could have.
version = 1

[connection.shop]
uri = "shop.db"                    # a file of SQLite or DuckDB, or "postgresql://reader:${secret:shop.password}@db.example.com/shop"

[connection.warehouse]
uri = "warehouse.duckdb"

[pipeline.shop]
source = "shop"
destination = "warehouse"

# Every table, as a whole, in each run. A table with settings of its own follows.
[pipeline.shop.defaults]
disposition = "replace"

[pipeline.shop.resources."*"]
# [pipeline.shop.resources."-audit_*"]            # but not these

# [pipeline.shop.resources.orders]
# disposition = "merge"                           # by its primary key
# cursor = { field = "updated_at", lag = "10m" }  # only what has changed since the last run, and ten minutes before
# exclude = ["internal_note"]
# where = "tenant_id = 7"
)text";

}  // namespace

int init_sql(Program& program, const InitArguments& arguments) { return write_project_template(program, arguments, project_text, "shop"); }

}  // namespace tipple::cli
