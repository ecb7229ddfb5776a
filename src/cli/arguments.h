#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tipple/core/limits.h"
#include "tipple/core/log.h"
#include "tipple/json/value.h"
#include "tipple/source/checkpoint.h"

/// The command line as plain data. Only arguments.cpp knows the library that parses it.
namespace tipple::cli {

enum class ProgressMode { automatic, bar, lines, json, none };
enum class ColorMode { automatic, always, never };

/// Flags that every command has.
struct GlobalArguments {
    bool is_quiet = false;
    int verbosity = 0;
    bool is_json = false;
    ProgressMode progress = ProgressMode::automatic;
    ColorMode color = ColorMode::automatic;
    std::string data_folder;
    std::string log_file;
    LogFormat log_format = LogFormat::text;
    std::string project_folder;
    std::string project_file;
    std::string profile;
    std::vector<std::string> settings;  ///< KEY=VALUE
};

struct LoadArguments {
    std::vector<std::string> sources;
    std::string destination;
    std::string dataset;
    std::string table;
    std::string format;
    std::string select;
    std::string csv_delimiter;
    bool has_csv_header = true;
    std::string encoding;
    bool has_metadata = false;
    bool has_folder_columns = false;
    std::vector<std::string> source_options;  ///< NAME=VALUE, of a source by name
    std::vector<std::string> resources;       ///< of it, only these
    std::optional<std::string> disposition;
    std::optional<std::string> strategy;  ///< of a merge
    std::vector<std::string> keys;
    std::optional<std::string> delete_missing;
    std::optional<std::string> max_delete;
    bool allows_empty = false;
    std::optional<std::uint64_t> limit;
    std::optional<int> max_nesting;
    std::size_t workers = 0;  ///< 0 = one per core
    std::size_t memory_bytes = limits::memory_default;
    std::string contract;
    std::string on_bad_record = "fail";
    std::vector<std::string> columns;
    std::string collisions = "keep";
    bool widens = false;
    std::string schema_import_folder;
    std::string schema_export_folder;
    bool is_dry_run = false;
    bool adopts_tables = false;
    double lock_timeout_seconds = 10;
    double retry_budget_seconds = limits::retry_budget_seconds_default;
    std::string cursor;
    std::string cursor_start;
    std::string cursor_lag;
    std::string cursor_missing;
    bool is_full_refresh = false;
};

struct RunArguments {
    std::vector<std::string> pipelines;
    bool runs_all = false;
    std::vector<std::string> resources;
    std::optional<std::string> refresh;
    std::optional<std::string> since;
    std::optional<std::string> until;
    std::optional<std::string> max_delete;
    bool allows_empty = false;
    std::optional<std::uint64_t> limit;
    std::optional<extract::Checkpoint> checkpoint;
    bool is_dry_run = false;
    bool keeps_going = false;
    std::size_t parallel = 1;  ///< pipelines that run at the same time
    bool adopts_tables = false;
    std::size_t workers = 0;       ///< 0 = as the project says, else one per core
    std::size_t memory_bytes = 0;  ///< 0 = as the project says
    double lock_timeout_seconds = 0;  ///< 0 = as the project says
    std::optional<double> retry_budget_seconds = {};
    double timeout_seconds = 0;    ///< 0 = none
};

struct QueryArguments {
    std::string target;
    std::string sql;
    std::string dataset;
    std::string output = "table";
    std::size_t limit = 1'000;
};

struct PreviewArguments {
    std::string target;
    std::string table;
    std::string dataset;
    std::string output = "table";
    std::size_t limit = 10;
};

enum class QuarantineAction { list, show, replay, discard };
struct QuarantineArguments {
    QuarantineAction action = QuarantineAction::list;
    std::string target;
    std::vector<std::string> ids;
    bool takes_all = false;
    std::string dataset;
    std::string contract;
    std::string output = "text";
    std::size_t limit = 100;
};

struct UndoArguments {
    std::string target;
    std::string load_id;
    std::string dataset;
    std::string pipeline;  ///< empty = that of `tipple load`
    bool through = false;
    bool keeps_cursor = false;
    bool rows_only = false;
    bool is_dry_run = false;
    bool is_confirmed = false;
};

struct VerifyArguments {
    std::string target;
    std::string dataset;
};

enum class PackagesAction { list, show, retry, discard, export_, verify };
struct PackagesArguments {
    PackagesAction action = PackagesAction::list;
    std::string target;
    std::string load_id;  ///< empty = the one that waits, else the newest
    std::string folder;   ///< export
    std::string dataset;
    std::size_t memory_bytes = 0;  ///< retry; 0 = the pipeline's, or the default
    bool is_dry_run = false;
    bool is_confirmed = false;
};

enum class SchemaAction { show, diff, history, blame };
struct SchemaArguments {
    SchemaAction action = SchemaAction::show;
    std::string target;
    std::string table;   ///< show: only this one
    std::string column;  ///< blame
    /// diff: versions; empty = the one before the newest, and the newest.
    std::string version_a;
    std::string version_b;
    bool has_exit_code = false;  ///< diff: differences are told by the exit code
    std::string dataset;
    std::string output = "text";
};

struct ListArguments {};
struct ConnectionsArguments {};
struct ShowArguments {
    std::string target;
};
struct RunsArguments {
    std::string target;
    std::string run;  ///< empty = all, in a list
    bool only_failed = false;
    bool shows_newest = false;  ///< that one, instead of a list
    std::size_t limit = 20;
};
struct JobsArguments {
    std::string target;
    bool only_failed = false;
    bool has_exit_code = false;
};
enum class StateAction { show, get, set, reset };
struct StateArguments {
    StateAction action = StateAction::show;
    std::string target;
    std::vector<std::string> arguments;
    bool is_dry_run = false;
    bool is_confirmed = false;
};
struct DropArguments {
    std::string target;
    std::vector<std::string> resources;
    bool drops_all = false;
    bool is_state_only = false;
    bool is_dry_run = false;
    bool is_confirmed = false;
};
struct SyncArguments {
    std::string target;
    bool is_dry_run = false;
    bool is_confirmed = false;
};
struct PlanArguments {
    std::vector<std::string> pipelines;  ///< empty = all
    std::uint64_t limit = 1'000;
    bool has_exit_code = false;
};
struct CheckArguments {
    std::vector<std::string> pipelines;  ///< empty = all
};
enum class ConfigAction { show, explain };
struct ConfigArguments {
    ConfigAction action = ConfigAction::show;
    std::string key;
};

/// `import rest-api FILE`: a description for another tool becomes a project file.
struct ImportArguments {
    std::string file;
    std::string pipeline = "api";
    std::string folder;
};
struct InitArguments {
    std::string folder;
    std::string source;  ///< of a source in C++ that is written instead of a project file
};
struct CompletionArguments {
    std::string shell;
};
struct VersionArguments {};
struct HelpArguments {
    std::string topic;
    /// All sources and destinations instead of one, as Markdown.
    bool prints_reference = false;
};
/// Everything that was asked for is printed already.
struct DoneArguments {
    int exit_code = 0;
};

using Command = std::variant<DoneArguments, LoadArguments, RunArguments, QueryArguments, PreviewArguments, SchemaArguments, QuarantineArguments, UndoArguments,
                             VerifyArguments, PackagesArguments, ListArguments, ConnectionsArguments, ShowArguments, RunsArguments, JobsArguments, StateArguments,
                             DropArguments, SyncArguments, PlanArguments, CheckArguments, ConfigArguments, InitArguments, ImportArguments, CompletionArguments, VersionArguments,
                             HelpArguments>;

struct Arguments {
    GlobalArguments global;
    Command command;
};

/// What `--contract` says, as schema::parse_contract reads it: one mode for all, or `columns=freeze,data_type=discard_row`. Throws Error(usage).
json::Value parse_contract_argument(const std::string& text);

/// Prints help and version itself, and errors about the command line: the command is then DoneArguments.
Arguments parse_arguments(int argc, const char* const* argv);

}  // namespace tipple::cli
