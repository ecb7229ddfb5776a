#include <algorithm>
#include <map>
#include <optional>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/incremental/slot.h"
#include "tipple/incremental/value.h"
#include "tipple/sources/builtin.h"
#include "tipple/sources/sql/hints.h"
#include "tipple/sources/sql/probe.h"
#include "tipple/sources/sql/settings.h"
#include "tipple/sources/sql/table_reader.h"
#include "tipple/sources/sql/tables.h"

namespace tipple::sources {

namespace sql {

namespace {

/// The member of a resource's state that keeps what a cursor's bound wants to know again, and in there the cursor it is of.
constexpr std::string_view bound_member = "sql_bound";
constexpr std::string_view cursor_member = "cursor";
constexpr std::string_view memory_member = "memory";

std::vector<DatabaseKind> database_kinds() { return {postgres_kind(), sqlite_kind(), duckdb_kind()}; }

/// Tables, views and queries of one database.
class SqlSource final : public extract::SourceDriver {
public:
    explicit SqlSource(const extract::SourceContext& context) : settings_(read_settings(context)), log_(context.log) {
        const config::Options& options = settings_.database;
        const std::optional<std::string> uri = options.find("uri");
        if (uri) {
            kind_ = require_kind(database_kinds(), *uri, options.find("folder").value_or(""));
        } else if (options.find("host") || options.find("database")) {
            kind_ = postgres_kind();
        } else {
            throw Error(ErrorKind::usage, "source \"sql\" needs \"uri\": where the database is, such as \"postgresql://user@host/shop\" or \"shop.db\"");
        }
    }

    std::string name() const override { return "sql"; }
    bool checks_definitions() const override { return true; }

    std::vector<extract::ResourceSpec> resources(std::stop_token stop) override {
        find_plans(stop);
        std::vector<std::pair<TableName, std::string>> names;
        for (const TablePlan& plan : plans_) names.emplace_back(plan.info.name, plan.name);
        std::vector<extract::ResourceSpec> specs;
        for (const TablePlan& plan : plans_) specs.push_back(spec_of(plan, names));
        // What holds a file would keep the destination from writing it, and what holds a connection waits while others are read.
        close();
        return specs;
    }

    void begin(const std::vector<extract::ResourceSpec>& resources, std::stop_token) override {
        close();
        announced_ = resources;
    }

    void finish() override {
        close();
        announced_.clear();
    }

    void read(const extract::ResourceSpec& spec, const extract::ResourceContext& context, extract::Output& out) override {
        saying_where(spec, [&] { read_one(spec, context, out); });
    }

    std::string probe(const extract::ResourceSpec& spec, const extract::ProbeContext& context) override {
        TablePlan& plan = plan_of(spec);
        const std::optional<CursorBound> bound = find_bound(plan, spec, nullptr, context.stop);
        const Select select{.sql = to_sql(database(), {.table = plan.info.name, .query = plan.settings.query, .columns = plan.columns, .where = plan.settings.where, .limit = 1}),
                            .columns = plan.columns};
        database().read(select, 1, 1, context.stop, [](const Rows&) { return false; });
        return describe_plan(plan, spec, bound);
    }

private:
    /// Databases speak of their own names, if of any.
    template <typename Work>
    static void saying_where(const extract::ResourceSpec& spec, const Work& work) {
        try {
            work();
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::cancelled || std::string_view(error.what()).starts_with("resource \"")) throw;
            throw error.with_context(fmt::format("resource \"{}\"", spec.name));
        }
    }

    void read_one(const extract::ResourceSpec& spec, const extract::ResourceContext& context, extract::Output& out) {
        begin_reads(spec, context);
        TablePlan& plan = plan_of(spec);
        std::optional<CursorBound> bound = settings_.has_snapshot ? bounds_.at(spec.name) : find_bound(plan, spec, context.state, context.stop);
        const json::Value memory = bound ? bound->memory : json::Value();
        if (bound) tell_bound(spec, *bound);
        read_table({.database = database(), .plan = plan, .spec = spec, .context = context, .bound = std::move(bound)}, out);
        remember(spec, context, memory);
    }

    Database& database() {
        if (database_ == nullptr) database_ = kind_.open(settings_.database, log_);
        return *database_;
    }

    void close() {
        database_.reset();
        bounds_.clear();
        is_begun_ = false;
    }

    std::string default_schema() { return settings_.schema.empty() ? database().default_schema() : settings_.schema; }

    void find_plans(const std::stop_token& stop) {
        plans_.clear();
        const bool has_tables =
            std::any_of(settings_.resources.begin(), settings_.resources.end(), [](const ResourceSettings& resource) { return resource.query.empty(); });
        const std::vector<TableName> tables = has_tables ? database().tables(stop) : std::vector<TableName>();
        for (const ChosenTable& chosen : choose_tables(settings_.resources, tables, default_schema())) {
            TablePlan plan{.name = chosen.name, .settings = *chosen.settings, .info = {}, .columns = {}};
            if (chosen.settings->query.empty()) {
                plan.info = database().reflect(chosen.table, stop);
            } else {
                plan.info.columns = database().describe(chosen.settings->query, stop);
            }
            plan.columns = choose_columns(plan.info, *chosen.settings);
            plans_.push_back(std::move(plan));
        }
    }

    static extract::ResourceSpec spec_of(const TablePlan& plan, const std::vector<std::pair<TableName, std::string>>& names) {
        extract::ResourceSpec spec;
        spec.name = plan.name;
        spec.definition = plan.settings.name;
        spec.follows_cursor = true;
        spec.comes_as_columns = std::all_of(plan.columns.begin(), plan.columns.end(), [](const DeclaredColumn& column) { return column.type.has_value(); });
        for (const DeclaredColumn& column : plan.columns) spec.declared.push_back(column_hints(column, plan.settings.reflect));
        const auto is_read = [&](const std::string& name) {
            return std::any_of(plan.columns.begin(), plan.columns.end(), [&](const DeclaredColumn& column) { return column.name == name; });
        };
        // A part of a key tells no rows apart.
        if (std::all_of(plan.info.primary_key.begin(), plan.info.primary_key.end(), is_read)) spec.primary_key = plan.info.primary_key;
        spec.table_hints = table_hints(plan.info, names, plan.settings.reflect);
        return spec;
    }

    TablePlan& plan_of(const extract::ResourceSpec& spec) {
        const auto found = std::find_if(plans_.begin(), plans_.end(), [&](const TablePlan& plan) { return plan.name == spec.name; });
        TIPPLE_ASSERT(found != plans_.end());
        return *found;
    }

    /// Bounds come before the snapshot: what is committed up to a bound must be seen by it.
    void begin_reads(const extract::ResourceSpec& spec, const extract::ResourceContext& context) {
        if (is_begun_) return;
        is_begun_ = true;
        database().set_limits({.memory_bytes = context.memory_bytes, .threads = context.threads, .temp_folder = context.temp_folder});
        if (announced_.empty()) announced_.push_back(spec);
        if (!settings_.has_snapshot) return;
        for (const extract::ResourceSpec& other : announced_) {
            saying_where(other, [&] { bounds_[other.name] = find_bound(plan_of(other), other, context.state, context.stop); });
        }
        database().begin_snapshot(context.stop);
    }

    /// Nothing where there is no cursor, or an end that the user has set. The plan's column learns how its values are stored.
    std::optional<CursorBound> find_bound(TablePlan& plan, const extract::ResourceSpec& spec, const extract::State* state, const std::stop_token& stop) {
        const DeclaredColumn* column = cursor_column(plan, spec);
        if (column == nullptr) return std::nullopt;
        CursorQuery query{.table = plan.info, .column = *column, .condition = plan.settings.where, .query = plan.settings.query};
        query.column.stored_form = database().stored_form(query, stop);
        plan.columns[static_cast<std::size_t>(column - plan.columns.data())].stored_form = query.column.stored_form;
        if (!spec.incremental->end_value.is_null() || spec.incremental->last_value_func == incremental::LastValue::min) return std::nullopt;
        if (const json::Object* own = state != nullptr ? state->find_resource(spec.name) : nullptr) {
            const json::Object* slot = incremental::find_slot(*own, *spec.incremental);
            const json::Value* last = slot != nullptr ? slot->find("last_value") : nullptr;
            if (last != nullptr) query.last = incremental::from_state(*last);
            const json::Value* remembered = own->find(bound_member);
            if (remembered != nullptr && remembered->is_object()) {
                const json::Value* cursor = remembered->as_object().find(cursor_member);
                const json::Value* memory = remembered->as_object().find(memory_member);
                if (cursor != nullptr && memory != nullptr && *cursor == json::Value(spec.incremental->cursor_path)) query.memory = *memory;
            }
        }
        return database().bound(query, stop);
    }

    void tell_bound(const extract::ResourceSpec& spec, const CursorBound& bound) const {
        if (bound.explanation.empty()) return;
        const bool is_worrying = !bound.is_guaranteed && !spec.incremental->lag;
        const std::string text = fmt::format("resource \"{}\", cursor \"{}\": {}", spec.name, spec.incremental->cursor_path, bound.explanation);
        is_worrying ? log_.warning("{}", text) : log_.info("{}", text);
    }

    /// Only at the end: a source that has remembered something must say itself where a run can be committed.
    static void remember(const extract::ResourceSpec& spec, const extract::ResourceContext& context, const json::Value& memory) {
        if (context.state == nullptr) return;
        const json::Object* own = context.state->find_resource(spec.name);
        const json::Value* known = own != nullptr ? own->find(bound_member) : nullptr;
        if (!memory.is_null()) {
            const json::Object entry{{std::string(cursor_member), spec.incremental->cursor_path}, {std::string(memory_member), memory}};
            if (known == nullptr || !(*known == json::Value(entry))) context.state->resource().set(bound_member, entry);
        } else if (known != nullptr) {
            context.state->resource().erase(bound_member);
        }
    }

    SqlSettings settings_;
    Log log_;
    DatabaseKind kind_;
    std::unique_ptr<Database> database_;
    std::vector<TablePlan> plans_;
    std::vector<extract::ResourceSpec> announced_;
    bool is_begun_ = false;
    std::map<std::string, std::optional<CursorBound>> bounds_;
};

}  // namespace

}  // namespace sql

extract::SourceEntry sql_source() {
    const std::vector<sql::DatabaseKind> kinds = sql::database_kinds();
    extract::SourceEntry entry{.name = "sql",
                               .summary = "Tables, views and queries of a database: Postgres, SQLite or a DuckDB file.",
                               .options = sql::source_option_specs(kinds),
                               .resource_options = sql::resource_option_specs(),
                               .names_are_patterns = true,
                               .make = [](const extract::SourceContext& context) -> std::unique_ptr<extract::SourceDriver> { return std::make_unique<sql::SqlSource>(context); }};
    for (const sql::DatabaseKind& kind : kinds) {
        entry.schemes.insert(entry.schemes.end(), kind.schemes.begin(), kind.schemes.end());
        entry.endings.insert(entry.endings.end(), kind.endings.begin(), kind.endings.end());
    }
    return entry;
}

}  // namespace tipple::sources
