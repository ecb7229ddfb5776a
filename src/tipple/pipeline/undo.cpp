#include "tipple/pipeline/undo.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "tipple/core/clock.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/sql.h"
#include "tipple/destination/system_tables.h"
#include "tipple/destination/undo_sql.h"
#include "tipple/pipeline/file_ledger.h"
#include "tipple/schema/schema.h"

namespace tipple::pipeline {

namespace {

using destination::QueryRow;

std::string when(const std::string& load_id) { return utc_text(load_id_time_us(load_id)).substr(0, 16); }

/// A load of the schema, and what the schema said then.
struct RecordedLoad {
    std::string id;
    std::shared_ptr<const schema::Schema> schema;
};

/// Makes one plan.
class Planner {
public:
    Planner(destination::Destination& destination, const std::string& pipeline, const UndoOptions& options)
        : destination_(destination), pipeline_(pipeline), options_(options) {}

    UndoPlan make() {
        read();
        choose_loads();
        check_pipeline();
        count_rows();
        check_order();
        check_losses();
        plan_state();
        return std::move(plan_);
    }

private:
    void read() {
        std::optional<destination::StoredDataset> stored = destination_.read_dataset();
        if (!stored) throw Error(ErrorKind::usage, "nothing was ever loaded into {}", destination_.description());
        stored_ = std::move(*stored);
        const destination::QueryResult result =
            destination_.query(fmt::format("SELECT load_id, schema_name, schema_version_hash FROM {} WHERE status = 0 ORDER BY load_id",
                                           destination_.quote_table(destination::loads_table)),
                               {});
        std::vector<std::string> ids;
        for (const QueryRow& row : result.rows) {
            ids.push_back(row[0].value_or(""));
            if (row[0] == options_.load_id) plan_.schema_name = row[1].value_or("");
        }
        if (plan_.schema_name.empty()) {
            const std::optional<std::string> near = did_you_mean(options_.load_id, ids);
            throw Error(ErrorKind::usage, "there is no load {} in {}{}; loads are in _dlt_loads, the newest is {}", options_.load_id, destination_.description(),
                        near ? fmt::format(", did you mean {}?", *near) : "", ids.empty() ? "none" : ids.back());
        }
        read_versions();
        const std::shared_ptr<const schema::Schema> newest = std::make_shared<const schema::Schema>(stored_.schemas.at(plan_.schema_name));
        for (const QueryRow& row : result.rows) {
            if (row[1] != plan_.schema_name || (!loads_.empty() && loads_.back().id == row[0])) continue;
            const auto version = versions_.find(row[2].value_or(""));
            loads_.push_back({.id = row[0].value_or(""), .schema = version != versions_.end() ? version->second : newest});
        }
    }

    /// Each stored version of the schema once, however many loads were made with it.
    void read_versions() {
        const destination::QueryResult versions =
            destination_.query(fmt::format("SELECT version_hash, schema FROM {} WHERE schema_name = {}", destination_.quote_table(destination::version_table),
                                           destination::standard_literal(plan_.schema_name)),
                               {});
        for (const QueryRow& row : versions.rows) {
            versions_[row[0].value_or("")] =
                std::make_shared<const schema::Schema>(schema::Schema::from_document(destination::decode_schema(row[1].value_or(""))));
        }
    }

    void choose_loads() {
        for (const RecordedLoad& load : loads_) {
            const bool is_chosen = options_.through ? load.id >= options_.load_id : load.id == options_.load_id;
            if (is_chosen) plan_.load_ids.push_back(load.id);
        }
    }

    /// A cursor goes back only in the state that it is part of.
    void check_pipeline() const {
        if (stored_.catalog.find(destination::state_table) == nullptr) return;
        const destination::QueryResult states = destination_.query(
            fmt::format("SELECT pipeline_name, _dlt_load_id FROM {}", destination_.quote_table(destination::state_table)), {});
        for (const QueryRow& row : states.rows) {
            if (row[0] == pipeline_ || std::find(plan_.load_ids.begin(), plan_.load_ids.end(), row[1].value_or("")) == plan_.load_ids.end()) continue;
            throw Error(ErrorKind::usage, "load {} was made by pipeline \"{}\", whose state it holds, not by \"{}\": give --pipeline {}", row[1].value_or(""),
                        row[0].value_or(""), pipeline_, row[0].value_or(""));
        }
    }

    bool is_chosen(const RecordedLoad& load) const { return std::find(plan_.load_ids.begin(), plan_.load_ids.end(), load.id) != plan_.load_ids.end(); }

    std::vector<destination::RowsOfLoads> rows_of(const std::vector<std::string>& load_ids) const {
        return destination::rows_of_loads(stored_.schemas.at(plan_.schema_name), stored_.catalog, {destination_.capabilities().is_case_sensitive}, load_ids,
                                          [this](std::string_view table) { return destination_.quote_table(table); });
    }

    std::uint64_t count(const destination::RowsOfLoads& rows) const {
        return destination::to_count(destination_.query(fmt::format("SELECT count(*) FROM {} WHERE {}", destination_.quote_table(rows.table), rows.condition), {}).rows.at(0).at(0));
    }

    void count_rows() {
        for (const destination::RowsOfLoads& rows : rows_of(plan_.load_ids)) {
            if (const std::uint64_t number = count(rows); number > 0) plan_.rows.push_back({.table = rows.table, .rows = number});
        }
    }

    /// Ledgers do not count: their entries go with the rows, whatever came later.
    bool moves_cursor() const { return without_ledgers(sources_before(plan_.load_ids.front())) != without_ledgers(sources_at(plan_.load_ids.back())); }

    /// The state goes back only as a whole: a load in the middle whose cursor later loads went on from cannot be taken back alone.
    void check_order() const {
        if (options_.keeps_cursor || options_.through || loads_.back().id == options_.load_id || !moves_cursor()) return;
        throw Error(ErrorKind::usage,
                    "load {} of {} moved what the source remembers (its cursor), and load {} of {} went on from there. Give --through to undo it and all that came "
                    "after, or --keep-cursor to remove its rows only: they will not be read again, but for those of files in a ledger, whose entries go too",
                    options_.load_id, when(options_.load_id), loads_.back().id, when(loads_.back().id));
    }

    static bool has_table(const schema::Schema& schema, const std::string& table) {
        const schema::Table* found = schema.find(table);
        return found != nullptr && found->has_complete_columns();
    }

    /// What the load does to rows that are there, as a verb; empty when it only adds to them.
    static std::string_view taking_verb(const schema::Schema& schema, const std::string& table) {
        const schema::Table* found = schema.find(table);
        if (found == nullptr) return {};
        const schema::Disposition disposition = schema.disposition_of(*found);
        return disposition == schema::Disposition::merge ? "merged into" : disposition == schema::Disposition::replace ? "replaced" : "";
    }

    /// Loads of which the table has rows.
    std::set<std::string> loads_in(const std::string& table) const {
        std::set<std::string> ids;
        const destination::QueryResult result =
            destination_.query(fmt::format("SELECT DISTINCT {} FROM {}", schema::load_id_column, destination_.quote_table(table)), {});
        for (const QueryRow& row : result.rows) ids.insert(row[0].value_or(""));
        return ids;
    }

    void add_losses(const std::string& table) {
        const std::set<std::string> with_rows = loads_in(table);
        bool was_there = false;
        bool is_undone = false;
        for (const RecordedLoad& load : loads_) {
            if (with_rows.contains(load.id)) {
                const std::string_view verb = taking_verb(*load.schema, table);
                if (!verb.empty() && is_chosen(load) && was_there) {
                    plan_.losses.push_back(fmt::format("it {} table \"{}\", and the rows that it took away do not come back", verb, table));
                } else if (!verb.empty() && !is_chosen(load) && is_undone) {
                    plan_.losses.push_back(fmt::format("load {} of {} {} table \"{}\" after it, so that some of its rows may be gone", load.id, when(load.id), verb, table));
                }
                is_undone = is_undone || is_chosen(load);
            }
            was_there = was_there || has_table(*load.schema, table);
        }
    }

    void check_losses() {
        for (const package::UndoneRows& undone : plan_.rows) {
            if (!stored_.schemas.at(plan_.schema_name).require(undone.table).is_nested()) add_losses(undone.table);
        }
        add_reloads();
        if (plan_.losses.empty() || options_.rows_only) return;
        throw Error(ErrorKind::usage, "load {} cannot be undone as a whole: {}. Give --rows-only to remove those rows that it brought and that are still there",
                    options_.load_id, join(plan_.losses, "; "));
    }

    /// Rows of earlier versions of files that a load has taken away do not come back.
    void add_reloads() {
        for (const package::UndoneRows& undone : plan_.rows) {
            if (!is_ledger(undone.table)) continue;
            const std::string condition = fmt::format("_dlt_load_id {} AND replaces_load_id IS NOT NULL", destination::standard_in_list(plan_.load_ids));
            const std::uint64_t files = count({.table = undone.table, .condition = condition});
            if (files > 0) plan_.losses.push_back(fmt::format("it loaded {} changed files anew (table \"{}\"), and the rows of their earlier versions do not come back", files, undone.table));
        }
    }

    /// What the sources remembered after the newest load of which that is true.
    json::Object sources_where(const std::string& condition) const {
        if (stored_.catalog.find(destination::state_table) == nullptr) return {};
        const destination::QueryResult states =
            destination_.query(fmt::format("SELECT state FROM {} WHERE pipeline_name = {} AND {} ORDER BY _dlt_load_id DESC, version DESC",
                                           destination_.quote_table(destination::state_table), destination::standard_literal(pipeline_), condition),
                               {.rows_max = 1});
        if (states.rows.empty()) return {};
        const json::Value document = destination::decode_state(states.rows[0].at(0).value_or(""));
        const json::Value* sources = document.is_object() ? document.as_object().find("sources") : nullptr;
        return sources != nullptr && sources->is_object() ? sources->as_object() : json::Object();
    }
    json::Object sources_before(const std::string& load_id) const { return sources_where("_dlt_load_id < " + destination::standard_literal(load_id)); }
    json::Object sources_at(const std::string& load_id) const { return sources_where("_dlt_load_id <= " + destination::standard_literal(load_id)); }

    void plan_state() {
        const json::Object now = sources_at(loads_.back().id);
        plan_.sources = options_.keeps_cursor || !moves_cursor() ? now : sources_before(plan_.load_ids.front());
        plan_.moves_state = plan_.sources != now;
    }

    destination::Destination& destination_;
    const std::string& pipeline_;
    const UndoOptions& options_;
    destination::StoredDataset stored_;
    std::vector<RecordedLoad> loads_;  ///< of the schema, oldest first
    std::map<std::string, std::shared_ptr<const schema::Schema>> versions_;  ///< by hash
    UndoPlan plan_;
};

}  // namespace

std::uint64_t UndoPlan::row_count() const {
    std::uint64_t count = 0;
    for (const package::UndoneRows& undone : rows) count += undone.rows;
    return count;
}

UndoPlan plan_undo(destination::Destination& destination, const std::string& pipeline, const UndoOptions& options) {
    return Planner(destination, pipeline, options).make();
}

}  // namespace tipple::pipeline
