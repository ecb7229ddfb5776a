#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/config/option_spec.h"
#include "tipple/source/page.h"
#include "tipple/sources/csv/values.h"

/// Columns that say where a record comes from: its file, its line, the folders it lies in.
namespace tipple::sources {

inline constexpr std::string_view source_file_column = "_source_file";
inline constexpr std::string_view source_line_column = "_source_line";
inline constexpr std::string_view source_modified_column = "_source_modified";

struct OriginOptions {
    bool has_file = false;
    bool has_line = false;
    bool has_modified = false;
    /// Folders called `name=value` are columns.
    bool has_folders = false;
    /// Of such columns, where they are not found out.
    std::map<std::string, csv::Type, std::less<>> folder_types;

    bool is_empty() const { return !has_file && !has_line && !has_modified && !has_folders; }
};
std::vector<config::OptionSpec> origin_option_specs();
/// Throws Error(usage).
OriginOptions parse_origin_options(const config::Options& options);

/// Where a content comes from.
struct ContentOrigin {
    std::string url;  ///< of the file, as its store says it
    std::int64_t modified_ns = 0;
};

/// Columns out of the names of folders, in their order; names and values are decoded. Nothing = null.
std::vector<std::pair<std::string, std::optional<std::string>>> folder_values(std::string_view url);

/// Of folders' columns that are not declared, the types that hold the values of all these files: whole numbers also with one zero in front
/// (`month=05`), dates, timestamps, else text.
std::map<std::string, csv::Type, std::less<>> find_folder_types(const std::vector<ContentOrigin>& contents, const OriginOptions& options);

/// What is added to the records of a content; nullptr = nothing. Throws Error(usage) when a folder's value is not of its declared type.
std::shared_ptr<const extract::OriginColumns> make_origin_columns(const ContentOrigin& content, const OriginOptions& options,
                                                                  const std::map<std::string, csv::Type, std::less<>>& folder_types);

/// Appends them to a batch; `place_of`: the line or number of a row. Returns how many there are. Throws Error(data) when the batch has such a column;
/// `name`: of the file.
std::size_t append_origin_columns(const extract::OriginColumns& columns, const std::function<std::uint64_t(std::size_t row)>& place_of, std::string_view name,
                                  columns::Batch& batch);

}  // namespace tipple::sources
