#include "tipple/sources/origin_columns.h"

#include <algorithm>
#include <array>

#include "tipple/columns/value_at.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/io/url.h"
#include "tipple/sources/csv/dialect.h"

namespace tipple::sources {

namespace {

constexpr std::string_view default_partition = "__HIVE_DEFAULT_PARTITION__";

/// Months and days have a zero in front, and are numbers all the same.
std::string_view without_zero(std::string_view text) {
    const bool is_padded = text.size() == 2 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
    return is_padded ? text.substr(1) : text;
}

std::optional<schema::Value> parse_value(const std::string& text, csv::Type type) {
    const std::string_view number = type.kind == csv::Kind::bigint ? without_zero(text) : std::string_view(text);
    columns::ColumnBuilder builder(csv::column_type(type));
    if (csv::append_values(std::array{number}, type, builder)) return std::nullopt;
    return columns::value_at(builder.view(), 0);
}

columns::ColumnType type_of(const schema::Value& value) {
    columns::ColumnType column{.type = schema::natural_type(value)};
    if (const auto* timestamp = value.get_if<schema::Timestamp>()) column.timezone = timestamp->is_aware;
    return column;
}

void append_value(const schema::Value& value, std::size_t rows, columns::ColumnBuilder& out) {
    for (std::size_t row = 0; row < rows; ++row) {
        if (const auto* text = value.get_if<std::string>()) {
            out.append_text(*text);
        } else if (const auto* number = value.get_if<std::int64_t>()) {
            out.append_int64(*number);
        } else if (const auto* real = value.get_if<double>()) {
            out.append_double(*real);
        } else if (const auto* flag = value.get_if<bool>()) {
            out.append_bool(*flag);
        } else if (const auto* timestamp = value.get_if<schema::Timestamp>()) {
            out.append_int64(timestamp->us);
        } else if (const auto* date = value.get_if<schema::Date>()) {
            out.append_int32(date->days);
        } else if (const auto* time = value.get_if<schema::Time>()) {
            out.append_int64(time->us);
        } else {
            TIPPLE_ASSERT(false);
        }
    }
}

}  // namespace

std::vector<config::OptionSpec> origin_option_specs() {
    return {
        {.name = "metadata", .summary = "Columns to add to each record: _source_file, _source_line, _source_modified; one per line, as a list, or all."},
        {.name = "hive", .summary = "Whether folders such as year=2024 are columns of the records below them.", .kind = config::OptionKind::boolean, .default_value = "false"},
        {.name = "hive_types", .summary = "Types of such columns, as a table, or NAME:TYPE, one per line; found out when not given."},
    };
}

OriginOptions parse_origin_options(const config::Options& options) {
    OriginOptions parsed;
    const std::vector<std::string> known = {std::string(source_file_column), std::string(source_line_column), std::string(source_modified_column)};
    for (const std::string& name : config::names_of(options.find("metadata").value_or(""))) {
        const bool is_all = name == "all";
        if (!is_all && std::find(known.begin(), known.end(), name) == known.end()) {
            const std::optional<std::string> near = did_you_mean(name, known);
            throw Error(ErrorKind::usage, "metadata: there is no column \"{}\"; {}", excerpt(name),
                        near ? fmt::format("did you mean \"{}\"?", *near) : fmt::format("there are: {}, or all", join(known, ", ")));
        }
        parsed.has_file = parsed.has_file || is_all || name == source_file_column;
        parsed.has_line = parsed.has_line || is_all || name == source_line_column;
        parsed.has_modified = parsed.has_modified || is_all || name == source_modified_column;
    }
    parsed.has_folders = options.find("hive").value_or("false") == "true";
    if (const auto types = options.find("hive_types")) parsed.folder_types = csv::parse_types(*types, "hive_types");
    for (const auto& [name, type] : parsed.folder_types) {
        if (type.kind == csv::Kind::decimal) throw Error(ErrorKind::usage, "hive_types, column \"{}\": a folder's name is not read as decimal", excerpt(name));
    }
    return parsed;
}

std::vector<std::pair<std::string, std::optional<std::string>>> folder_values(std::string_view url) {
    std::vector<std::pair<std::string, std::optional<std::string>>> values;
    for (std::size_t end = url.find('/'); end != std::string_view::npos; end = url.find('/')) {
        const std::string_view folder = url.substr(0, end);
        url.remove_prefix(end + 1);
        const std::size_t equals = folder.find('=');
        if (equals == 0 || equals == std::string_view::npos) continue;
        const std::string value = io::percent_decode(folder.substr(equals + 1));
        values.emplace_back(io::percent_decode(folder.substr(0, equals)), value == default_partition ? std::nullopt : std::optional(value));
    }
    return values;
}

std::map<std::string, csv::Type, std::less<>> find_folder_types(const std::vector<ContentOrigin>& contents, const OriginOptions& options) {
    std::map<std::string, csv::Type, std::less<>> types = options.folder_types;
    if (!options.has_folders) return types;
    std::map<std::string, std::vector<std::string>> values;
    for (const ContentOrigin& content : contents) {
        for (auto& [name, value] : folder_values(content.url)) {
            std::vector<std::string>& seen = values[name];
            if (value && (seen.empty() || seen.back() != *value)) seen.push_back(std::move(*value));
        }
    }
    for (const auto& [name, texts] : values) {
        std::vector<std::string_view> views(texts.begin(), texts.end());
        const auto is_number = [](std::string_view text) { return csv::fits(without_zero(text), {.kind = csv::Kind::bigint}); };
        if (std::all_of(views.begin(), views.end(), is_number)) {
            types.emplace(name, csv::Type{.kind = csv::Kind::bigint});
        } else {
            types.emplace(name, csv::find_type(views).value_or(csv::Type{}));
        }
    }
    return types;
}

std::shared_ptr<const extract::OriginColumns> make_origin_columns(const ContentOrigin& content, const OriginOptions& options,
                                                                  const std::map<std::string, csv::Type, std::less<>>& folder_types) {
    if (options.is_empty()) return nullptr;
    auto columns = std::make_shared<extract::OriginColumns>();
    if (options.has_folders) {
        for (const auto& [name, text] : folder_values(content.url)) {
            if (!text) continue;
            const auto found = folder_types.find(name);
            std::optional<schema::Value> value = parse_value(*text, found == folder_types.end() ? csv::Type{} : found->second);
            if (!value && options.folder_types.contains(name)) {
                throw Error(ErrorKind::usage, "{}: the folder's value \"{}\" of column \"{}\" is not of the type that hive_types declares for it", content.url, excerpt(*text), name);
            }
            if (value && value->is_null()) continue;
            // A file that came later than those that the type was found out from.
            columns->constants.emplace_back(name, value ? std::move(*value) : schema::Value(*text));
        }
    }
    if (options.has_file) columns->constants.emplace_back(source_file_column, schema::Value(content.url));
    if (options.has_modified) {
        constexpr std::int64_t ns_per_us = 1'000;
        columns->constants.emplace_back(source_modified_column, schema::Value(schema::Timestamp{.us = content.modified_ns / ns_per_us, .is_aware = true}));
    }
    if (options.has_line) columns->place = source_line_column;
    return columns;
}

std::size_t append_origin_columns(const extract::OriginColumns& origin, const std::function<std::uint64_t(std::size_t row)>& place_of, std::string_view name,
                                  columns::Batch& batch) {
    const auto add = [&](const std::string& column, const columns::ColumnType& type) -> columns::ColumnBuilder& {
        if (std::find(batch.names.begin(), batch.names.end(), column) != batch.names.end()) {
            throw Error(ErrorKind::data, "{} has a column \"{}\" of its own; rename it there, or leave {} out", name, column,
                        column.starts_with("_source_") ? "it of metadata" : "hive, by which the folders are columns,");
        }
        batch.names.push_back(column);
        return batch.columns.emplace_back(type);
    };
    for (const auto& [column, value] : origin.constants) append_value(value, batch.rows, add(column, type_of(value)));
    if (origin.place.empty()) return origin.constants.size();
    columns::ColumnBuilder& places = add(origin.place, {.type = schema::DataType::bigint});
    for (std::size_t row = 0; row < batch.rows; ++row) places.append_int64(static_cast<std::int64_t>(place_of(row)));
    return origin.constants.size() + 1;
}

}  // namespace tipple::sources
