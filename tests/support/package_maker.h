#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tipple/core/clock.h"
#include "tipple/core/error.h"
#include "tipple/destination/destination.h"
#include "tipple/destination/system_tables.h"
#include "tipple/format/arrow_ipc.h"
#include "tipple/package/package.h"

namespace tipple::support {

/// A clock that a test sets.
class StoppedClock final : public Clock {
public:
    std::int64_t now_us() const override { return now; }
    std::int64_t steady_ns() const override { return now * 1000; }
    std::int64_t now = 1'795'404'633'000'000;
};

/// A schema and load packages for it, written down as JSON.
class PackageMaker {
public:
    PackageMaker(io::FileSystem& files, const Clock& clock, std::string folder)
        : clock_(clock), store_(files, std::move(folder)) {}

    schema::Schema& schema() { return schema_; }

    /// Defines a table, or defines it anew: `columns` is an object of name -> type, or name ->
    /// hints. `_dlt_id`, and `_dlt_load_id` or the columns of a nested table (with `_dlt_root_id`),
    /// come by themselves.
    void table(const std::string& name, const std::string& properties, const std::string& columns) {
        schema::Table table(name);
        const json::Value parsed_properties = json::parse(properties);
        for (const json::Member& property : parsed_properties.as_object()) {
            table.set_property(property.name, property.value);
        }
        if (!table.is_nested()) {
            if (table.properties().find("write_disposition") == nullptr)
                table.set_property("write_disposition", "append");
            table.set_property("resource", name);
        }
        const json::Value parsed_columns = json::parse(columns);
        for (const json::Member& column : parsed_columns.as_object()) {
            json::Object hints;
            if (column.value.is_text()) {
                hints.set("data_type", column.value);
            } else {
                hints = column.value.as_object();
            }
            if (hints.find("nullable") == nullptr) hints.set("nullable", true);
            table.set_column(schema::Column(column.name, hints));
        }
        if (table.is_nested()) {
            if (has_root_keys) add(table, "_dlt_root_id", {"root_key"});
            add(table, "_dlt_parent_id", {"parent_key"});
            table.set_column(schema::Column("_dlt_list_idx", schema::DataType::bigint, false));
        } else {
            add(table, "_dlt_load_id", {});
        }
        add(table, "_dlt_id", {"row_key", "unique"});
        schema_.set_table(std::move(table));
    }
    /// Whether nested tables get `_dlt_root_id`.
    bool has_root_keys = true;

    /// Starts the next package.
    PackageMaker& begin(const std::string& load_id) {
        load_id_ = load_id;
        batches_.clear();
        loads_.clear();
        references_.clear();
        widened_.clear();
        return *this;
    }
    /// A column of the last definition that the destination has with type `from`.
    PackageMaker& widen(const std::string& table, const std::string& column, schema::DataType from) {
        widened_.push_back({table, column, from});
        return *this;
    }
    /// How a table and those below it are loaded.
    PackageMaker& load(schema::Disposition disposition, const std::vector<std::string>& tables) {
        loads_.push_back({.root = tables[0], .disposition = disposition, .tables = tables});
        return *this;
    }
    /// The last load is a full snapshot of its root table.
    PackageMaker& delete_missing(schema::DeleteMissing missing) {
        loads_.back().delete_missing = std::move(missing);
        return *this;
    }
    /// Rows of the last load's root table go first: those with one of these texts in the column.
    PackageMaker& replace_rows(std::string column, std::vector<std::string> values) {
        loads_.back().replaced = package::ReplacedRows{.column = std::move(column), .values = std::move(values)};
        return *this;
    }
    /// A batch of rows of a table, as a JSON list of objects. Rows without `_dlt_id` get one.
    PackageMaker& rows(const std::string& table, const std::string& list) {
        batches_.emplace_back(table, json::parse(list).as_array());
        return *this;
    }
    PackageMaker& reference(const std::string& table, package::FileReference reference,
                            std::uint64_t rows) {
        references_.emplace_back(table, std::pair(std::move(reference), rows));
        return *this;
    }

    /// `stored`: what the run saw at its start.
    package::Package close(const std::optional<destination::StoredDataset>& stored) {
        package::Fence fence;
        if (stored && stored->state) {
            fence.state_version = stored->state->version;
            fence.state_hash = stored->state->version_hash;
        }
        if (stored && stored->schemas.contains(schema_.name())) {
            fence.schema_hash = stored->schemas.at(schema_.name()).version_hash();
        }
        schema_.bump();
        const auto writer = store_.create(load_id_, 100'000);
        for (const auto& [table, list] : batches_)
            writer->write(encode(schema_.require(table), list));
        for (const auto& [table, reference] : references_) {
            writer->add_reference(table, reference.first, reference.second);
        }
        package::PackageContent content{.manifest = {},
                                        .schema = schema_,
                                        .schema_change = {},
                                        .state = state(stored),
                                        .fence = fence};
        content.manifest.pipeline = pipeline;
        content.manifest.dataset = "main";
        content.manifest.schema_name = schema_.name();
        content.manifest.destination = "test";
        content.manifest.tool_version = "0.1.0";
        content.manifest.has_new_state = has_new_state;
        content.manifest.loads = loads_;
        content.manifest.widened = widened_;
        return writer->close(std::move(content), clock_);
    }
    bool has_new_state = true;
    std::string pipeline = "shop";

private:
    static void add(schema::Table& table, const std::string& name,
                    const std::vector<std::string>& hints) {
        schema::Column column(name, schema::DataType::text, false);
        for (const std::string& hint : hints) column.set_hint(hint, true);
        table.set_column(std::move(column));
    }

    json::Value state(const std::optional<destination::StoredDataset>& stored) {
        json::Object document = {
            {"_state_version", 0},
            {"_state_engine_version", 4},
            {"pipeline_name", pipeline},
            {"sources", json::Object{{"shop", json::Object{{"cursor", load_id_}}}}},
            {"_local", json::Object{{"first_run", false}}}};
        document.set("_state_version", stored && stored->state ? stored->state->version + 1 : 1);
        document.set("_version_hash", destination::state_hash(document));
        return document;
    }

    package::EncodedBatch encode(const schema::Table& table, const json::Array& list) {
        package::EncodedBatch batch{.table = table.name(),
                                    .columns = {},
                                    .rows = list.size(),
                                    .raw_bytes = 0,
                                    .message = {}};
        std::vector<columns::ColumnBuilder> builders;
        for (const schema::Column& column : table.columns()) {
            if (!column.is_complete() || (column.name() == "_dlt_load_id" && !table.is_nested()))
                continue;
            batch.columns.push_back({column.name(), columns::column_type(column)});
            builders.emplace_back(batch.columns.back().type);
        }
        const std::string number(schema::root_number_column);
        const bool has_numbers = std::any_of(list.begin(), list.end(), [&](const json::Value& row) { return row.as_object().find(number) != nullptr; });
        if (has_numbers) {
            batch.columns.push_back({number, {.type = schema::DataType::bigint}});
            builders.emplace_back(batch.columns.back().type);
        }
        for (const json::Value& row : list) {
            for (std::size_t i = 0; i < builders.size(); ++i) {
                const json::Value* value = row.as_object().find(batch.columns[i].name);
                if (value == nullptr && batch.columns[i].name == "_dlt_id") {
                    builders[i].append_text(fmt::format("{}-{}", load_id_, ++last_id_));
                } else if (value == nullptr || value->is_null()) {
                    builders[i].append_null();
                } else {
                    append(builders[i], *value);
                }
            }
        }
        std::vector<columns::ColumnView> views;
        for (const columns::ColumnBuilder& builder : builders) {
            views.push_back(builder.view());
            batch.raw_bytes += views.back().byte_size();
        }
        format::BatchEncoder(format::Compression::lz4)
            .append_batch(batch.message, views, batch.rows);
        return batch;
    }

    static void append(columns::ColumnBuilder& column, const json::Value& value) {
        switch (column.layout()) {
            case columns::Layout::bits:
                return column.append_bool(value.as_bool());
            case columns::Layout::int32:
                return column.append_int32(static_cast<std::int32_t>(value.as_int()));
            case columns::Layout::int64:
                return column.append_int64(value.as_int());
            case columns::Layout::float64:
                return column.append_double(value.as_double());
            case columns::Layout::decimal:
                return column.append_int128(value.as_int());
            case columns::Layout::bytes:
                return column.append_text(value.as_text());
        }
    }

    const Clock& clock_;
    package::PackageStore store_;
    schema::Schema schema_ = schema::Schema::make("shop");
    std::string load_id_;
    std::vector<std::pair<std::string, json::Array>> batches_;
    std::vector<std::pair<std::string, std::pair<package::FileReference, std::uint64_t>>>
        references_;
    std::vector<package::TableLoad> loads_;
    std::vector<package::WidenedColumn> widened_;
    std::uint64_t last_id_ = 0;
};

}  // namespace tipple::support
