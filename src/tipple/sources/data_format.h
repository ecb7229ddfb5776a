#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tipple::sources {

enum class DataFormat {
    json_lines,  ///< one or more whole JSON documents per line
    json,        ///< a list of records, one record, or records one after another; white space anywhere
    csv,
    tsv,
    parquet,
};
std::string_view to_text(DataFormat format);
/// "jsonl", "ndjson", "json", "csv", "tsv", "parquet". Throws Error(usage) for another one.
DataFormat require_data_format(std::string_view name);

/// The same without a complaint.
std::optional<DataFormat> format_of_ending(std::string_view ending);

/// What the first bytes of a content look like, its name deciding only where they do not. `head` is the beginning, decompressed, a byte
/// order mark skipped; `is_all` = there is nothing behind it. Throws Error(usage) when neither tells.
DataFormat detect_data_format(std::string_view head, bool is_all, std::string_view name);

/// The name of a table for a file: its name without folders, compression and format endings.
std::string file_stem(std::string_view path);

/// The ending of a name in lower case without its dot, behind a compression's ending: "jsonl" for "a.JSONL.gz".
std::string format_ending(std::string_view path);

}  // namespace tipple::sources
