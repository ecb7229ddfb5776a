#include "tipple/destinations/duckdb/types.h"

#include "tipple/core/clock.h"
#include "tipple/engine/column_types.h"
#include "tipple/engine/engine.h"

namespace tipple::destinations::duckdb {

using schema::DataType;

namespace {

std::string timestamp_literal(std::int64_t time_us) {
    return fmt::format("TIMESTAMPTZ {}", engine::quote_literal(utc_text(time_us)));
}

std::string timestamp_us(std::string_view expression) { return fmt::format("epoch_us({})", expression); }

}  // namespace

std::string id_storage(const schema::Column& column) {
    const bool is_id = column.name() == schema::id_column || column.flag("row_key") || column.flag("parent_key") || column.flag("root_key");
    return is_id && column.data_type() == DataType::text ? " USING COMPRESSION zstd" : "";
}

destination::SqlDialect dialect() {
    return {.quote_identifier = engine::quote_identifier,
            .quote_literal = engine::quote_literal,
            .column_type = engine::column_type,
            .timestamp_literal = timestamp_literal,
            .timestamp_us = timestamp_us,
            .names = name_rule,
            .temporary_prefix = "temp.main."};
}

}  // namespace tipple::destinations::duckdb
