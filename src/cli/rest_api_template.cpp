#include "cli/rest_api_template.h"

#include "cli/project_template.h"

namespace tipple::cli {

namespace {

constexpr const char* project_text = R"text(# An API as a source. What may stand here: tipple help rest_api, and docs/guide/rest-api.md.
# It reads a public API as it is: tipple check, then tipple run, then tipple preview pokeapi pokemon.
version = 1

[connection.warehouse]
uri = "warehouse.duckdb"

[pipeline.pokeapi]
source = { type = "rest_api", base_url = "https://pokeapi.co/api/v2", concurrency = 4, rate_limit = "10/s" }
# With a token: auth = { type = "bearer", token = "${secret:pokeapi.token}" } in the braces, and in .tipple/secrets.toml
# [pokeapi]
# token = "..."
destination = "warehouse"

# One resource is one table. Pages and the place of records are found out when nothing is said:
# paginator = { type = "cursor", cursor_path = "meta.next", cursor_param = "after" }
# select = "data.items"
[pipeline.pokeapi.resources.names]
path = "pokemon"
params = { limit = 20 }
max_pages = 1
disposition = "replace"
# Only what is new, for APIs with times of change:
# params = { since = "{cursor.start|iso}" }
# cursor = { field = "updated_at", start = "2026-01-01T00:00:00Z" }

# One request for each record of another resource.
[pipeline.pokeapi.resources.pokemon]
parent = "names"
path = "pokemon/{parent.name}"
steps = [{ keep = ["id", "name", "weight", "types"] }]
disposition = "merge"
primary_key = "id"
)text";

}  // namespace

int init_rest_api(Program& program, const InitArguments& arguments) { return write_project_template(program, arguments, project_text, "pokeapi"); }

}  // namespace tipple::cli
