#include "tipple/pipeline/file_ledger.h"

#include <fmt/format.h>

#include <algorithm>

#include "tipple/core/hash.h"
#include "tipple/destination/sql.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::pipeline {

namespace {

using schema::Column;
using schema::DataType;

/// Member of what a resource remembers: how many files its ledger has got so far, and a digest of them.
constexpr std::string_view state_member = "ledger";

Column described(const char* name, DataType type, const char* text) {
    Column column(name, type, true);
    column.set_hint("description", text);
    return column;
}

}  // namespace

std::string ledger_table(std::string_view resource, const schema::NamingConvention& naming) {
    return naming.normalize_table_path(fmt::format("{}{}", ledger_prefix, resource));
}

bool is_ledger(std::string_view table) { return table.starts_with(ledger_prefix); }

schema::Table ledger_definition(std::string_view name, const std::string& resource) {
    schema::Table table{std::string(name)};
    table.set_property("resource", resource);
    table.set_property("description", "Files that were loaded, each with the load that brought its rows.");
    table.set_column(described("file", DataType::text, "Its path or URL, as in _source_file."));
    table.set_column(described("version", DataType::text, "Size and entity tag, or size and time: another one is another content."));
    table.set_column(described("size_bytes", DataType::bigint, "As it lies there, compressed or not."));
    table.set_column(described("modified_at", DataType::timestamp, "When it was written."));
    table.set_column(described("row_count", DataType::bigint, "Records that were read from it."));
    table.set_column(described("replaces_load_id", DataType::text, "The load of its earlier version, whose rows were taken away."));
    table.set_column(Column(std::string(schema::load_id_column), DataType::text, false));
    Column id(std::string(schema::id_column), DataType::text, false);
    id.set_hint("unique", true);
    id.set_hint("row_key", true);
    table.set_column(std::move(id));
    return table;
}

void declare_ledger(schema::Schema& schema, std::string_view name, const std::string& resource, schema::Disposition disposition) {
    const schema::Table* known = schema.find(name);
    schema::Table table = known != nullptr ? *known : ledger_definition(name, resource);
    const bool is_replaced = disposition == schema::Disposition::replace;
    table.set_property("write_disposition", std::string(schema::to_text(is_replaced ? schema::Disposition::replace : schema::Disposition::append)));
    schema.set_table(std::move(table));
}

namespace {

/// Members of which nothing is left are as if they had not been.
void erase_empty(json::Object& object) {
    std::vector<std::string> empty;
    for (const json::Member& member : object) {
        if (member.value.is_object() && member.value.as_object().empty()) empty.push_back(member.name);
    }
    for (const std::string& name : empty) object.erase(name);
}

}  // namespace

json::Object without_ledgers(json::Object sources) {
    for (json::Member& source : sources) {
        json::Value* resources = source.value.is_object() ? source.value.as_object().find("resources") : nullptr;
        if (resources == nullptr || !resources->is_object()) continue;
        for (json::Member& resource : resources->as_object()) {
            if (resource.value.is_object()) resource.value.as_object().erase(state_member);
        }
        erase_empty(resources->as_object());
        erase_empty(source.value.as_object());
    }
    erase_empty(sources);
    return sources;
}

LedgerWriter::LedgerWriter(const std::string& table, std::string load_id, const json::Object* state) : rows_(ledger_definition(table, {}), std::move(load_id)) {
    const json::Value* memory = state != nullptr ? state->find(state_member) : nullptr;
    if (memory != nullptr && memory->is_object()) {
        const json::Value* files = memory->as_object().find("files");
        const json::Value* digest = memory->as_object().find("digest");
        if (files != nullptr && files->is_int()) files_ = files->as_int();
        if (digest != nullptr && digest->is_text()) digest_ = digest->as_text();
    }
}

void LedgerWriter::collect(std::uint64_t head) {
    while (!finished_.empty() && finished_.front()->end_number <= head) {
        const std::shared_ptr<const Input> input = std::move(finished_.front());
        finished_.pop_front();
        if (input->is_discarded) continue;
        const extract::InputFile& file = input->file;
        rows_.column("file").append_text(file.path);
        rows_.column("version").append_text(file.version);
        rows_.column("size_bytes").append_int64(static_cast<std::int64_t>(file.size));
        if (file.modified_ns != 0) rows_.column("modified_at").append_int64(file.modified_ns / 1'000);
        rows_.column("row_count").append_int64(static_cast<std::int64_t>(input->records));
        if (!file.replaces_load_id.empty()) {
            rows_.column("replaces_load_id").append_text(file.replaces_load_id);
            replaced_.push_back(file.path);
        }
        rows_.end_row(rows_.next_id());
        digest_ = to_hex(xxh3_64(fmt::format("{}\n{}\n{}", digest_, file.path, file.version)));
        ++files_;
        has_moved_ = true;
    }
}

void LedgerWriter::remember(json::Object& state) {
    state.set(state_member, json::Object{{"files", files_}, {"digest", digest_}});
    has_moved_ = false;
}

void StoredLedger::read(std::stop_token stop, const std::function<void(const extract::LedgerEntry&)>& take) {
    if (table_.empty()) return;
    const std::string select = fmt::format("SELECT {}, {}, {} FROM {}", destination::standard_name("file"), destination::standard_name("version"),
                                           destination::standard_name(schema::load_id_column), destination_.quote_table(table_));
    destination_.read_rows(select, std::move(stop), [&](const destination::RowTexts& row) {
        take({.file = row.at(0), .version = row.at(1), .load_id = row.at(2)});
    });
}

std::optional<std::int64_t> StoredLedger::newest_modified_us(std::stop_token stop) {
    if (table_.empty()) return std::nullopt;
    std::optional<std::int64_t> newest;
    const std::string column = destination::standard_name("modified_at");
    const std::string select = fmt::format("SELECT CAST(max({0}) AS VARCHAR) FROM {1} WHERE {0} IS NOT NULL HAVING count(*) > 0", column, destination_.quote_table(table_));
    destination_.read_rows(select, std::move(stop), [&](const destination::RowTexts& row) {
        if (const std::optional<schema::Timestamp> time = schema::timestamp_from_text(row.at(0))) newest = time->us;
    });
    return newest;
}

StoredLedger stored_ledger(destination::Destination& destination, const destination::StoredDataset* stored, std::string_view schema, std::string_view resource) {
    if (stored == nullptr || !destination.capabilities().reads_rows) return {destination, {}};
    const auto found = stored->schemas.find(schema);
    if (found == stored->schemas.end()) return {destination, {}};
    for (const std::shared_ptr<const schema::Table>& table : found->second.tables()) {
        if (!is_ledger(table->name()) || table->resource() != resource) continue;
        if (stored->catalog.find(table->name(), {destination.capabilities().is_case_sensitive}) != nullptr) return {destination, table->name()};
    }
    return {destination, {}};
}

}  // namespace tipple::pipeline
