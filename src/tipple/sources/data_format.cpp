#include "tipple/sources/data_format.h"

#include <algorithm>
#include <array>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/io/file_system.h"
#include "tipple/json/record_cutter.h"

namespace tipple::sources {

namespace {

struct Ending {
    std::string_view name;
    DataFormat format;
};
constexpr std::array<Ending, 8> endings = {{{"jsonl", DataFormat::json_lines},
                                            {"ndjson", DataFormat::json_lines},
                                            {"json", DataFormat::json},
                                            {"geojson", DataFormat::json},
                                            {"csv", DataFormat::csv},
                                            {"tsv", DataFormat::tsv},
                                            {"parquet", DataFormat::parquet},
                                            {"pq", DataFormat::parquet}}};
constexpr std::array<std::string_view, 6> compression_endings = {"gz", "zst", "zstd", "bz2", "xz", "lzma"};

/// Cuts `.ending` off `name` when it is one of `known`. Returns it in lower case.
template <typename Known>
std::string cut_ending(std::string& name, const Known& is_known) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string::npos || dot == 0) return {};
    const std::string ending = lower(std::string_view(name).substr(dot + 1));
    if (!is_known(ending)) return {};
    name.resize(dot);
    return ending;
}

bool is_compression_ending(std::string_view ending) {
    return std::find(compression_endings.begin(), compression_endings.end(), ending) != compression_endings.end();
}

std::string_view trimmed(std::string_view text) {
    const std::size_t start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(" \t\r\n") - start + 1);
}

/// Lines, when the first line is exactly one whole document and what follows looks like another one.
DataFormat detect_json(std::string_view head, bool is_all, std::optional<DataFormat> named) {
    const std::string_view body = head.substr(head.find_first_not_of(" \t\r\n"));
    const std::size_t line_end = body.find('\n');
    if (line_end == std::string_view::npos) {
        return !is_all && named == DataFormat::json_lines ? DataFormat::json_lines : DataFormat::json;
    }
    const std::string_view line = trimmed(body.substr(0, line_end));
    // With the line's end, so that a document which does not end is longer than the line.
    const bool is_whole = json::document_length(body.substr(0, line_end + 1)) == line.size();
    if (!is_whole) {
        // A record that is spread over lines stops where one can; anything else is a broken line of a file of lines.
        const bool goes_on = std::string_view("{[,:").find(line.back()) != std::string_view::npos;
        return named == DataFormat::json_lines && !goes_on ? DataFormat::json_lines : DataFormat::json;
    }
    const std::string_view rest = trimmed(body.substr(line_end));
    if (rest.empty()) return body.front() == '{' ? DataFormat::json_lines : DataFormat::json;
    return DataFormat::json_lines;
}

/// A check sum, the four letters, and a small number of eight bytes. The check sum may look like anything.
bool is_duckdb_database(std::string_view head) {
    constexpr std::size_t letters_at = 8;
    constexpr std::string_view zeros("\0\0\0\0\0\0", 6);
    return head.size() > 20 && head.substr(letters_at, 4) == "DUCK" && head.substr(letters_at + 6, zeros.size()) == zeros;
}

}  // namespace

std::optional<DataFormat> format_of_ending(std::string_view ending) {
    for (const Ending& known : endings) {
        if (known.name == ending) return known.format;
    }
    return std::nullopt;
}

std::string_view to_text(DataFormat format) {
    switch (format) {
        case DataFormat::json_lines:
            return "jsonl";
        case DataFormat::json:
            return "json";
        case DataFormat::csv:
            return "csv";
        case DataFormat::tsv:
            return "tsv";
        case DataFormat::parquet:
            return "parquet";
    }
    return "unknown";
}

DataFormat require_data_format(std::string_view name) {
    const std::optional<DataFormat> format = format_of_ending(lower(name));
    if (!format) throw Error(ErrorKind::usage, "unknown format \"{}\"; known: jsonl, json, csv, tsv, parquet", name);
    return *format;
}

std::string format_ending(std::string_view path) {
    std::string name = io::file_name(path);
    cut_ending(name, is_compression_ending);
    return cut_ending(name, [](std::string_view) { return true; });
}

DataFormat detect_data_format(std::string_view head, bool is_all, std::string_view name) {
    if (is_duckdb_database(head)) {
        throw Error(ErrorKind::usage, "{} is a DuckDB database, not a file of records; a table of it can be written to a file by DuckDB's COPY", name);
    }
    if (head.starts_with("PAR1")) return DataFormat::parquet;
    if (head.starts_with("PK\x03\x04")) {
        throw Error(ErrorKind::usage, "{} is a zip archive (or a workbook, which is one); unpack it first, for example with unzip, or save its sheet as CSV", name);
    }
    const bool has_zeros = head.size() > 3 && head[1] == '\0' && head[3] == '\0' && head[0] != '\0' && head[2] != '\0';
    if (has_zeros || (head.size() > 3 && head[0] == '\0' && head[2] == '\0' && head[1] != '\0' && head[3] != '\0')) {
        throw Error(ErrorKind::usage, "{} looks like UTF-16 without a byte order mark; say --encoding {}", name, has_zeros ? "utf-16le" : "utf-16be");
    }
    const std::optional<DataFormat> named = format_of_ending(format_ending(name));
    if (named == DataFormat::parquet) throw Error(ErrorKind::usage, "{} does not begin like a Parquet file; is it damaged, or named wrongly?", name);
    const std::string_view body = trimmed(head);
    if (body.empty()) return named.value_or(DataFormat::json_lines);
    if (body.front() == '{' || body.front() == '[') return detect_json(head, is_all, named);
    if (named) return *named;
    const std::string_view line = body.substr(0, body.find('\n'));
    if (line.find('\t') != std::string_view::npos) return DataFormat::tsv;
    if (line.find_first_of(",;|") != std::string_view::npos && is_valid_utf8(line)) return DataFormat::csv;
    throw Error(ErrorKind::usage,
                "cannot tell the format of {} from its content (it begins \"{}\") or its name; say --format jsonl, json, csv, tsv or parquet", name,
                excerpt(line, 40));
}

std::string file_stem(std::string_view path) {
    std::string name = io::file_name(path);
    cut_ending(name, is_compression_ending);
    cut_ending(name, [](std::string_view ending) { return format_of_ending(ending).has_value() || ending == "txt" || ending == "dat" || ending == "data"; });
    // What is left of a pattern without its wildcards: `events-*.jsonl` is `events`.
    name.erase(std::remove_if(name.begin(), name.end(), [](char c) { return c == '*' || c == '?' || c == '[' || c == ']'; }), name.end());
    const std::size_t end = name.find_last_not_of("-_. ");
    name.resize(end == std::string::npos ? 0 : end + 1);
    return name.empty() ? "data" : name;
}

}  // namespace tipple::sources
