#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/schema/value.h"

namespace tipple::extract {

/// Where the first record of a page comes from, for messages.
struct Origin {
    std::string name;              ///< file, URL or "stdin"
    std::uint64_t byte_offset = 0;  ///< in the (decompressed) content
    std::uint64_t line = 0;        ///< from 1; 0 when the content has no lines to count
    std::uint64_t record = 0;      ///< records of this origin before the page
};

/// What is added to each record of a page beside its own fields: where it comes from. A record that has such a field itself is a bad one.
struct OriginColumns {
    std::vector<std::pair<std::string, schema::Value>> constants;  ///< by name, not normalized; none of them null
    /// The column of the line on which the record starts, or of its number where its content has no lines to count; empty = none.
    std::string place;
};

/// JSON records as they came: whole records one after another.
struct JsonPage {
    columns::Buffer text;  ///< `size` bytes of JSON, then limits::json_padding more
    std::size_t size = 0;
    /// Where records start when they are not one per line.
    std::vector<std::size_t> record_starts;
    Origin origin;
    /// Of all records of the page, not normalized; empty = the resource's table. So in the other kinds of page.
    std::string table = {};
    /// nullptr = nothing is added.
    std::shared_ptr<const OriginColumns> origin_columns = nullptr;
};

/// Records that are typed values already.
struct ValuePage {
    std::vector<schema::Value> records;
    Origin origin;
    std::string table = {};
};

/// Columns with the names of the source.
struct ColumnPage {
    columns::Batch batch;
    Origin origin;
    std::string table = {};
    /// So many columns at the end of the batch say where a record comes from, and are no part of what it says.
    std::size_t origin_columns = 0;
    /// Columns of the source that have nothing but nulls in the page and so are not in the batch.
    std::vector<std::string> null_columns = {};
};

/// A local Parquet file that could be loaded as it lies.
struct FileOffer {
    std::string path;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    std::uint64_t rows = 0;
    std::vector<std::pair<std::string, columns::ColumnType>> columns;
};

using Page = std::variant<JsonPage, ValuePage, ColumnPage>;

}  // namespace tipple::extract
