#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tipple/schema/schema.h"

/// What data files are made of: SQL of the engine that writes and reads them.
namespace tipple::destinations::filesystem {

enum class Format { jsonl, parquet, csv };
enum class Compression { none, gzip, zstd, snappy };

/// What a line of a text format may be long: the engine takes memory by it, so the longer one is for those who need it.
inline constexpr std::size_t line_bytes_default = std::size_t{16} << 20;
inline constexpr std::size_t line_bytes_max = std::size_t{512} << 20;

/// How a destination writes its files.
struct FileFormat {
    Format format = Format::jsonl;
    Compression compression = Compression::gzip;
    /// `jsonl.gz`, `parquet`, …: what stands at the end of a file's name.
    std::string ending() const;
};

/// Both as configuration names them; an empty `compression` is the format's own. Throws Error(usage) that names what there is.
FileFormat require_file_format(std::string_view format, std::string_view compression);

/// The format of a file by the end of its name. False when it is none of ours.
bool try_parse_ending(std::string_view ending, Format& format);

/// An expression for a column as it is written: text where the format has no such values, so that all of them come back as they were.
std::string written_expression(const schema::Column& column, Format format);

/// `COPY (<select>) TO '<path>' …`.
std::string copy_statement(const std::string& select, const std::string& path, const FileFormat& format, std::size_t row_group_rows);

/// A SELECT over files of one format, which gives the columns in their order and types. Columns that no file has are null. `files`: full paths, at
/// least one.
std::string read_statement(const std::vector<schema::Column>& columns, Format format, const std::vector<std::string>& files, std::size_t line_bytes);
/// The same for a table without files.
std::string empty_statement(const std::vector<schema::Column>& columns);

}  // namespace tipple::destinations::filesystem
