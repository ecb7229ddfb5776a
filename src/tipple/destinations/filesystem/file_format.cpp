#include "tipple/destinations/filesystem/file_format.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/engine/column_types.h"
#include "tipple/engine/engine.h"

namespace tipple::destinations::filesystem {

using schema::DataType;

namespace {

constexpr std::array<std::string_view, 3> format_names = {"jsonl", "parquet", "csv"};
constexpr std::array<std::string_view, 4> compression_names = {"none", "gzip", "zstd", "snappy"};

std::string_view name_of(Format format) { return format_names[static_cast<std::size_t>(format)]; }
std::string_view name_of(Compression compression) { return compression_names[static_cast<std::size_t>(compression)]; }

template <typename Enum, std::size_t count>
Enum require_name(std::string_view what, std::string_view name, const std::array<std::string_view, count>& names) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) return static_cast<Enum>(found - names.begin());
    const std::vector<std::string> known(names.begin(), names.end());
    const std::optional<std::string> near = did_you_mean(name, known);
    throw Error(ErrorKind::usage, "there is no {} \"{}\"{}; there are {}", what, excerpt(name), near ? fmt::format(", did you mean \"{}\"?", *near) : "", join(known, ", "));
}

std::string quoted(const schema::Column& column) { return engine::quote_identifier(column.name()); }

/// `2024-01-02T03:04:05.678901`, and `+00:00` behind it for a point in time.
std::string iso_text(const schema::Column& column) {
    if (!column.has_timezone()) return fmt::format("replace(CAST({} AS VARCHAR), ' ', 'T')", quoted(column));
    return fmt::format("replace(CAST(timezone('UTC', {}) AS VARCHAR), ' ', 'T') || '+00:00'", quoted(column));
}

/// An expression for a column as it comes out of a file of texts, in the type that it has.
std::string read_expression(const schema::Column& column, Format format) {
    const std::string name = quoted(column);
    if (format != Format::parquet && column.data_type() == DataType::binary) return fmt::format("from_base64({0}) AS {0}", name);
    if (format == Format::jsonl) return name;
    return fmt::format("CAST({0} AS {1}) AS {0}", name, engine::column_type(column));
}

std::string list_of(const std::vector<std::string>& files) {
    std::vector<std::string> paths;
    for (const std::string& file : files) paths.push_back(engine::quote_path(file));
    return "[" + join(paths, ", ") + "]";
}

/// Stands in front of files that have some of the columns, so that all of them are there. `type`: of the column as it lies in the files.
template <typename Type>
std::string with_all_columns(const std::vector<schema::Column>& columns, const std::string& files, Type type) {
    std::vector<std::string> nulls;
    for (const schema::Column& column : columns) nulls.push_back(fmt::format("CAST(NULL AS {}) AS {}", type(column), quoted(column)));
    return fmt::format("(SELECT {} WHERE false UNION ALL BY NAME SELECT * FROM {})", join(nulls, ", "), files);
}

}  // namespace

std::string FileFormat::ending() const {
    std::string text(name_of(format));
    if (format == Format::parquet) return text;
    return text + (compression == Compression::gzip ? ".gz" : compression == Compression::zstd ? ".zst" : "");
}

FileFormat require_file_format(std::string_view format, std::string_view compression) {
    FileFormat result{.format = require_name<Format>("file format", format, format_names), .compression = Compression::gzip};
    if (compression.empty()) {
        if (result.format == Format::parquet) result.compression = Compression::zstd;
        return result;
    }
    result.compression = require_name<Compression>("compression", compression, compression_names);
    if (result.compression == Compression::snappy && result.format != Format::parquet) {
        throw Error(ErrorKind::usage, "files of format {} cannot be compressed with snappy; there are none, gzip, zstd", name_of(result.format));
    }
    return result;
}

bool try_parse_ending(std::string_view ending, Format& format) {
    for (const std::string_view compressed : {".gz", ".zst"}) {
        if (ending.ends_with(compressed)) ending.remove_suffix(compressed.size());
    }
    const auto found = std::find(format_names.begin(), format_names.end(), ending);
    if (found == format_names.end()) return false;
    format = static_cast<Format>(found - format_names.begin());
    return true;
}

std::string written_expression(const schema::Column& column, Format format) {
    const std::string name = quoted(column);
    const DataType type = *column.data_type();
    if (format == Format::parquet) {
        // The widest whole numbers of Parquet have 64 bits; so have all that come.
        const std::string sql_type = engine::column_type(column);
        if (type == DataType::json || sql_type == "HUGEINT") return name;
        return fmt::format("CAST({0} AS {1}) AS {0}", name, sql_type);
    }
    switch (type) {
        case DataType::timestamp:
            return fmt::format("{} AS {}", iso_text(column), name);
        case DataType::binary:
            return fmt::format("to_base64({0}) AS {0}", name);
        case DataType::decimal:
        case DataType::wei:
            // As text all digits stay, whoever reads it.
            return fmt::format("CAST({0} AS VARCHAR) AS {0}", name);
        case DataType::double_:
            // JSON has no number for these.
            if (format == Format::csv) return name;
            return fmt::format("CASE WHEN isfinite({0}) THEN to_json({0}) ELSE to_json(CAST({0} AS VARCHAR)) END AS {0}", name);
        case DataType::json:
            return format == Format::csv ? name : fmt::format("CAST({0} AS JSON) AS {0}", name);
        case DataType::text:
        case DataType::bigint:
        case DataType::bool_:
        case DataType::date:
        case DataType::time:
            break;
    }
    return name;
}

std::string copy_statement(const std::string& select, const std::string& path, const FileFormat& format, std::size_t row_group_rows) {
    std::string options;
    switch (format.format) {
        case Format::jsonl:
            options = "FORMAT json";
            break;
        case Format::csv:
            options = "FORMAT csv, HEADER true";
            break;
        case Format::parquet:
            options = fmt::format("FORMAT parquet, ROW_GROUP_SIZE {}", row_group_rows);
            break;
    }
    const bool is_plain_parquet = format.format == Format::parquet && format.compression == Compression::none;
    return fmt::format("COPY ({}) TO {} ({}, COMPRESSION {})", select, engine::quote_literal(path), options,
                       is_plain_parquet ? "uncompressed" : name_of(format.compression));
}

std::string read_statement(const std::vector<schema::Column>& columns, Format format, const std::vector<std::string>& files, std::size_t line_bytes) {
    TIPPLE_ASSERT(!files.empty());
    std::vector<std::string> expressions;
    for (const schema::Column& column : columns) expressions.push_back(read_expression(column, format));
    const std::string select = fmt::format("SELECT {} FROM ", join(expressions, ", "));
    const auto varchar = [](const schema::Column&) { return std::string("VARCHAR"); };
    switch (format) {
        case Format::jsonl: {
            std::vector<std::string> types;
            for (const schema::Column& column : columns) {
                const std::string type = column.data_type() == DataType::binary ? "VARCHAR" : engine::column_type(column);
                types.push_back(fmt::format("{}: {}", quoted(column), engine::quote_literal(type)));
            }
            return select + fmt::format("read_json({}, format = 'newline_delimited', maximum_object_size = {}, columns = {{{}}})", list_of(files), line_bytes, join(types, ", "));
        }
        case Format::csv:
            return select + with_all_columns(columns,
                                             fmt::format("read_csv({}, header = true, all_varchar = true, union_by_name = true, delim = ',', quote = '\"', escape = '\"', "
                                                         "allow_quoted_nulls = false, max_line_size = {}, buffer_size = {})",
                                                         list_of(files), line_bytes, 2 * line_bytes),
                                             varchar);
        case Format::parquet:
            break;
    }
    return select + with_all_columns(columns, fmt::format("read_parquet({}, union_by_name = true)", list_of(files)), engine::column_type);
}

std::string empty_statement(const std::vector<schema::Column>& columns) {
    std::vector<std::string> nulls;
    for (const schema::Column& column : columns) nulls.push_back(fmt::format("CAST(NULL AS {}) AS {}", engine::column_type(column), quoted(column)));
    return fmt::format("SELECT {} WHERE false", join(nulls, ", "));
}

}  // namespace tipple::destinations::filesystem
