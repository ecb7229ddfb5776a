#include "tipple/pipeline/quarantine.h"

#include <fmt/format.h>

#include <algorithm>

#include "tipple/core/limits.h"

namespace tipple::pipeline {

namespace {

using schema::Column;
using schema::DataType;

Column described(Column column, const char* text) {
    column.set_hint("description", text);
    return column;
}

Column id_column() {
    Column column("id", DataType::text, false);
    column.set_hint("primary_key", true);
    return column;
}

Column row_key() {
    Column column(std::string(schema::id_column), DataType::text, false);
    column.set_hint("unique", true);
    column.set_hint("row_key", true);
    return column;
}

Column resolved_column() {
    Column column("is_resolved", DataType::bool_, true);
    column.set_hint("hard_delete", true);
    return column;
}

}  // namespace

schema::Table quarantine_definition() {
    schema::Table table{std::string(quarantine_table)};
    table.set_property("write_disposition", "merge");
    table.set_property("resource", std::string(quarantine_table));
    table.set_property("description", "Records that were put aside, to be loaded when the schema lets them in.");
    table.set_column(id_column());
    table.set_column(described(Column("resource", DataType::text, true), "Resource the record belongs to."));
    table.set_column(described(Column("root_table", DataType::text, true), "Table the record was to go to."));
    table.set_column(described(Column("table_name", DataType::text, true), "Table in which something was wrong."));
    table.set_column(described(Column("column_name", DataType::text, true), "Column in which something was wrong."));
    table.set_column(described(Column("reason", DataType::text, true), "What was wrong."));
    table.set_column(described(Column("source", DataType::text, true), "File or other origin of the record."));
    table.set_column(described(Column("line", DataType::bigint, true), "Line there, from 1; null where there are no lines."));
    table.set_column(described(Column("byte_offset", DataType::bigint, true), "Byte there, from 0."));
    table.set_column(described(Column("record_number", DataType::bigint, true), "Record there, from 1."));
    table.set_column(described(Column("record", DataType::text, true), "The record as it came."));
    table.set_column(resolved_column());
    table.set_column(Column(std::string(schema::load_id_column), DataType::text, false));
    table.set_column(row_key());
    return table;
}

namespace {

class QuarantineSource final : public extract::SourceDriver {
public:
    QuarantineSource(std::vector<QuarantinedRecord> records, const schema::Schema& schema) : records_(std::move(records)) {
        for (const QuarantinedRecord& record : records_) {
            const bool is_known = std::any_of(specs_.begin(), specs_.end(), [&](const auto& spec) { return is_of(record, spec); });
            if (!is_known) specs_.push_back(make_spec(record, schema));
        }
    }

    std::string name() const override { return "quarantine"; }
    std::vector<extract::ResourceSpec> resources(std::stop_token) override { return specs_; }

    void read(const extract::ResourceSpec& spec, const extract::ResourceContext&, extract::Output& out) override {
        for (const QuarantinedRecord& record : records_) {
            if (!is_of(record, spec)) continue;
            extract::JsonPage page{.text = {}, .size = record.text.size(), .record_starts = {}, .origin = record.origin};
            // A line that is no JSON stays as it is, to its last comma; what has several lines was an element of a list.
            if (record.text.find('\n') != std::string::npos) page.record_starts = {0};
            page.text.append(record.text.data(), record.text.size());
            page.text.resize_zeroed(record.text.size() + limits::json_padding);
            out.write(std::move(page));
        }
    }

private:
    static bool is_of(const QuarantinedRecord& record, const extract::ResourceSpec& spec) {
        return record.resource == spec.name && record.root_table == spec.table;
    }

    static extract::ResourceSpec make_spec(const QuarantinedRecord& record, const schema::Schema& schema) {
        extract::ResourceSpec spec;
        spec.name = record.resource;
        spec.table = record.root_table;
        const schema::Table* table = schema.find(record.root_table);
        const schema::Disposition disposition = table != nullptr ? table->disposition().value_or(schema::Disposition::append) : schema::Disposition::append;
        spec.disposition = disposition == schema::Disposition::replace ? schema::Disposition::append : disposition;
        return spec;
    }

    std::vector<QuarantinedRecord> records_;
    std::vector<extract::ResourceSpec> specs_;
};

}  // namespace

std::unique_ptr<extract::SourceDriver> make_quarantine_source(std::vector<QuarantinedRecord> records, const schema::Schema& schema) {
    return std::make_unique<QuarantineSource>(std::move(records), schema);
}

Quarantine::Quarantine(std::string load_id) : rows_(quarantine_definition(), std::move(load_id)) {}

void Quarantine::end_row(std::string_view id) {
    rows_.column("id").append_text(id);
    rows_.end_row(id);
}

void Quarantine::add(std::string_view resource, std::string_view root_table, const SkippedRecord& record, std::string_view text) {
    const auto put_text = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) rows_.column(name).append_text(value);
    };
    put_text("resource", resource);
    put_text("root_table", root_table);
    put_text("table_name", record.table);
    put_text("column_name", record.column);
    put_text("reason", record.reason);
    put_text("source", record.origin);
    if (record.line > 0) rows_.column("line").append_int64(static_cast<std::int64_t>(record.line));
    rows_.column("byte_offset").append_int64(static_cast<std::int64_t>(record.byte_offset));
    rows_.column("record_number").append_int64(static_cast<std::int64_t>(record.record));
    put_text("record", text);
    end_row(rows_.next_id());
}

void Quarantine::resolve(std::string_view id) {
    rows_.column("is_resolved").append_bool(true);
    end_row(id);
}

}  // namespace tipple::pipeline
