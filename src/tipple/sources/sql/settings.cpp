#include "tipple/sources/sql/settings.h"

#include <algorithm>
#include <charconv>

#include "tipple/config/secret.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/io/file_system.h"
#include "tipple/io/glob.h"

namespace tipple::sources::sql {

using config::OptionKind;
using config::Options;

namespace {

constexpr std::size_t batch_rows_default = 16'384;
constexpr std::size_t parallel_max = 64;

/// What a resource does not say is said by the source, so these belong to both.
std::vector<config::OptionSpec> shared_option_specs() {
    return {
        {.name = "views", .summary = "Patterns of tables stand for views too; false when not given.", .kind = OptionKind::boolean},
        {.name = "read_batch_rows", .summary = "Rows taken from the database at once, 16384 when not given.", .kind = OptionKind::integer},
        {.name = "read_parallel", .summary = "Connections that read one table at the same time, 1 when not given. A cursor that has moved is read by one.", .kind = OptionKind::integer},
        {.name = "read_split_by", .summary = "The column by which a table is divided among them; found out when not given."},
        {.name = "reflect_precision", .summary = "Take over widths of integers, lengths of texts and digits of times, besides types; false when not given.", .kind = OptionKind::boolean},
        {.name = "reflect_foreign_keys", .summary = "Take over foreign keys as references: true when not given.", .kind = OptionKind::boolean},
        {.name = "reflect_nullability", .summary = "Take over which columns must not be null: true when not given.", .kind = OptionKind::boolean},
    };
}

/// An option of the resource, else of the source.
class Reader {
public:
    Reader(const Options& own, const Options& source) : own_(own), source_(source) {}

    std::string text(std::string_view name) const { return find(name).value_or(""); }
    bool boolean(std::string_view name, bool otherwise) const {
        const std::optional<std::string> value = find(name);
        return value ? *value == "true" : otherwise;
    }
    std::size_t count(std::string_view name, std::size_t otherwise, std::size_t most) const {
        const std::optional<std::string> value = find(name);
        if (!value) return otherwise;
        std::size_t number = 0;
        const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
        if (error == std::errc() && end == value->data() + value->size() && number >= 1 && number <= most) return number;
        throw Error(ErrorKind::usage, "\"{}\" must be a number from 1 to {}, not {}", name, most, excerpt(*value));
    }

private:
    std::optional<std::string> find(std::string_view name) const {
        const std::optional<std::string> own = own_.find(name);
        return own ? own : source_.find(name);
    }

    const Options& own_;
    const Options& source_;
};

/// Without blanks and semicolons behind it.
std::string without_end(std::string sql) {
    while (!sql.empty() && (sql.back() == ';' || sql.back() == ' ' || sql.back() == '\n' || sql.back() == '\t' || sql.back() == '\r')) sql.pop_back();
    return sql;
}

ResourceSettings read_resource(const std::string& name, const Options& own, const Options& source) {
    const Reader reader(own, source);
    ResourceSettings resource{.name = name};
    resource.query = without_end(own.find("query").value_or(""));
    resource.from = own.find("from").value_or(resource.query.empty() ? name : "");
    resource.where = without_end(own.find("where").value_or(""));
    resource.include = config::names_of(reader.text("include"));
    resource.exclude = config::names_of(reader.text("exclude"));
    resource.has_views = reader.boolean("views", false);
    resource.read = {.batch_rows = reader.count("read_batch_rows", batch_rows_default, static_cast<std::size_t>(limits::row_group_rows)),
                     .parallel = reader.count("read_parallel", 1, parallel_max),
                     .split_by = reader.text("read_split_by")};
    resource.reflect = {.precision = reader.boolean("reflect_precision", false),
                        .foreign_keys = reader.boolean("reflect_foreign_keys", true),
                        .nullability = reader.boolean("reflect_nullability", true)};
    if (resource.from.starts_with('-')) {
        resource.is_exclusion = true;
        resource.from.erase(0, 1);
    }
    if (!resource.query.empty() && !resource.from.empty()) {
        throw Error(ErrorKind::usage, "resource \"{}\" has both a query and a table to read from (\"from\"); leave one out", name);
    }
    if (resource.from.empty() && resource.query.empty()) throw Error(ErrorKind::usage, "resource \"{}\" names no table", name);
    return resource;
}

/// What was meant for a database, without the password that a URL without its scheme, or the words that libpq takes, may hold.
std::string without_password(const std::string& uri) {
    constexpr std::string_view scheme = "://";
    const std::string text = config::mask_url(std::string(scheme) + uri).substr(scheme.size());
    const std::size_t password = lower(text).find("password");
    return password == std::string::npos ? text : text.substr(0, password) + "password=***";
}

/// The first bytes of a file; empty when there is none.
std::string head_of(const std::string& path) {
    const std::unique_ptr<io::FileSystem> files = io::local_file_system();
    const std::unique_ptr<io::FileInfo> info = files->find(path);
    if (info == nullptr || info->is_directory) return {};
    std::string head(64, '\0');
    head.resize(files->open_read(path)->read(head.data(), head.size()));
    return head;
}

}  // namespace

bool ResourceSettings::is_pattern() const { return query.empty() && io::has_wildcards(from); }

std::vector<config::OptionSpec> source_option_specs(const std::vector<DatabaseKind>& kinds) {
    std::vector<std::string> schemes;
    std::vector<std::string> endings;
    for (const DatabaseKind& kind : kinds) {
        for (const std::string& scheme : kind.schemes) schemes.push_back(scheme + "://");
        endings.insert(endings.end(), kind.endings.begin(), kind.endings.end());
    }
    std::vector<config::OptionSpec> specs = {
        {.name = "uri", .summary = fmt::format("Where the database is: {}..., or a file ({}).", join(schemes, "..., "), join(endings, ", "))},
        {.name = "schema", .summary = "Where tables are that are named without one, and what is read when no resource is named; the database's own when not given."},
        {.name = "folder", .summary = "Where relative paths start; the working folder, or that of the project file, when not given.", .kind = OptionKind::path},
        {.name = "read_snapshot", .summary = "All tables of a run are read as they were at one moment, where the database can: true when not given.", .kind = OptionKind::boolean},
    };
    for (config::OptionSpec& spec : shared_option_specs()) specs.push_back(std::move(spec));
    for (const DatabaseKind& kind : kinds) {
        for (const config::OptionSpec& option : kind.options) {
            const bool is_known = std::any_of(specs.begin(), specs.end(), [&](const config::OptionSpec& spec) { return spec.name == option.name; });
            if (is_known) continue;
            specs.push_back(option);
            // What one kind of database demands is none of another's business.
            specs.back().is_required = false;
            specs.back().default_value.clear();
        }
    }
    return specs;
}

std::vector<config::OptionSpec> resource_option_specs() {
    std::vector<config::OptionSpec> specs = {
        {.name = "from", .summary = "The table it is read from, or a pattern of names (\"public.*\"); the resource's name when not given."},
        {.name = "query", .summary = "A SELECT whose rows are read, instead of a table."},
        {.name = "where", .summary = "A condition, in the SQL of the database, that rows must meet: \"tenant_id = 7\"."},
        {.name = "include", .summary = "Columns that are read, as a list; all when not given."},
        {.name = "exclude", .summary = "Columns that are not read, as a list."},
    };
    for (config::OptionSpec& spec : shared_option_specs()) specs.push_back(std::move(spec));
    return specs;
}

SqlSettings read_settings(const extract::SourceContext& context) {
    SqlSettings settings{.database = context.options, .schema = context.options.find("schema").value_or(""), .has_snapshot = context.options.find("read_snapshot") != "false"};
    for (const extract::ResourceDefinition& resource : context.resources) {
        settings.resources.push_back(read_resource(resource.name, resource.options, context.options));
    }
    const bool has_only_exclusions = std::all_of(settings.resources.begin(), settings.resources.end(), [](const ResourceSettings& resource) { return resource.is_exclusion; });
    if (has_only_exclusions) settings.resources.push_back(read_resource("*", {}, context.options));
    return settings;
}

std::string path_of_uri(const std::string& uri, const std::string& folder) {
    const std::size_t scheme = uri.find("://");
    std::string path = scheme == std::string::npos ? uri : uri.substr(scheme + 3);
    if (scheme != std::string::npos && path.starts_with('/')) path.erase(0, 1);
    return folder.empty() || path.starts_with('/') ? path : io::join_path(folder, path);
}

const DatabaseKind& require_kind(const std::vector<DatabaseKind>& kinds, const std::string& uri, const std::string& folder) {
    const std::size_t scheme_end = uri.find("://");
    if (scheme_end != std::string::npos) {
        const std::string scheme = lower(uri.substr(0, scheme_end));
        std::vector<std::string> known;
        for (const DatabaseKind& kind : kinds) {
            for (const std::string& name : kind.schemes) {
                if (name == scheme) return kind;
                known.push_back(name);
            }
        }
        const std::optional<std::string> near = did_you_mean(scheme, known);
        throw Error(ErrorKind::usage, "no database is reached by {}://{}; known are {}", excerpt(scheme), near ? fmt::format(", did you mean {}://?", *near) : "", join(known, ", "));
    }
    const std::string head = head_of(path_of_uri(uri, folder));
    for (const DatabaseKind& kind : kinds) {
        if (kind.owns_file && !head.empty() && kind.owns_file(head)) return kind;
    }
    for (const DatabaseKind& kind : kinds) {
        for (const std::string& ending : kind.endings) {
            if (lower(uri).ends_with(ending)) return kind;
        }
    }
    throw Error(ErrorKind::usage, "\"{}\" is no database that can be read: neither a URL nor a file of SQLite or DuckDB", excerpt(without_password(uri)));
}

}  // namespace tipple::sources::sql
