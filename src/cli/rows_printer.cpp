#include "cli/rows_printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/json/value.h"

namespace tipple::cli {

namespace {

using destination::QueryColumn;
using destination::QueryResult;

/// Narrower than this a column says nothing.
constexpr std::size_t column_width_min = 6;

/// Only the types themselves, as stores name them: a list or struct of numbers names them too.
bool is_number_type(std::string_view type) {
    static constexpr std::array<std::string_view, 18> names = {"TINYINT", "SMALLINT", "INTEGER",  "BIGINT",  "HUGEINT", "UTINYINT",         "USMALLINT", "UINTEGER", "UBIGINT",
                                                               "UHUGEINT", "FLOAT",   "DOUBLE",   "smallint", "integer", "bigint", "double precision", "real",      "numeric"};
    const bool is_decimal = (type.starts_with("DECIMAL(") || type.starts_with("numeric(")) && type.back() == ')';
    return std::find(names.begin(), names.end(), type) != names.end() || is_decimal;
}

/// Types whose text is a JSON value as it stands.
bool is_json_literal_type(std::string_view type) {
    static constexpr std::array<std::string_view, 5> others = {"BOOLEAN", "JSON", "boolean", "json", "jsonb"};
    const bool is_wide = type.starts_with("HUGE") || type.starts_with("UHUGE");
    return (is_number_type(type) && !is_wide) || std::find(others.begin(), others.end(), type) != others.end();
}

std::string shown(const std::optional<std::string>& value) { return value ? excerpt(*value, 10'000) : std::string("NULL"); }

/// Nothing at all is null; an empty text is quoted.
void print_csv_field(std::string& out, const std::optional<std::string>& value) {
    if (!value) return;
    const std::string& text = *value;
    if (!text.empty() && text.find_first_of(",\"\n\r") == std::string::npos) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

std::string csv(const QueryResult& result) {
    std::string out;
    const auto line = [&](const auto& fields, const auto& text_of) {
        bool first = true;
        for (const auto& field : fields) {
            if (!first) out += ',';
            first = false;
            print_csv_field(out, text_of(field));
        }
        out += '\n';
    };
    line(result.columns, [](const QueryColumn& column) { return std::optional(column.name); });
    for (const auto& row : result.rows) line(row, [](const std::optional<std::string>& value) { return value; });
    return out;
}

/// As DuckDB and Postgres spell it.
bool is_infinity(std::string_view text) { return text == "inf" || text == "-inf" || text == "Infinity" || text == "-Infinity"; }

void append_json_row(std::string& out, const QueryResult& result, const destination::QueryRow& row) {
    out += '{';
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (i > 0) out += ',';
        json::append_quoted(out, result.columns[i].name);
        out += ':';
        const std::string& type = result.columns[i].type;
        if (!row[i]) {
            out += "null";
        } else if (is_json_literal_type(type) && row[i]->find_first_of("nN") != 0 && !is_infinity(*row[i])) {
            out += *row[i];
        } else if (is_json_literal_type(type)) {
            out += "null";
        } else {
            json::append_quoted(out, *row[i]);
        }
    }
    out += '}';
}

/// Shares the width among columns: narrow ones get what they need, the rest is split evenly among the others. Those before `first` stay as they are.
void fit_widths(std::vector<std::size_t>& widths, std::size_t first, std::size_t available) {
    const auto begin = widths.begin() + static_cast<std::ptrdiff_t>(first);
    std::size_t total = std::accumulate(widths.begin(), widths.end(), std::size_t{0});
    while (total > available) {
        const auto widest = std::max_element(begin, widths.end());
        if (widest == widths.end() || *widest <= column_width_min) break;
        const std::size_t excess = total - available;
        std::size_t second = column_width_min;
        for (auto width = begin; width != widths.end(); ++width) {
            if (*width < *widest) second = std::max(second, *width);
        }
        const std::size_t cut = std::min(excess, std::max<std::size_t>(*widest - second, 1));
        *widest -= std::min(cut, *widest - column_width_min);
        total = std::accumulate(widths.begin(), widths.end(), std::size_t{0});
    }
}

std::string pad(std::string text, std::size_t width, bool is_right) {
    const std::size_t used = display_width(text);
    if (used >= width) return text;
    const std::string blanks(width - used, ' ');
    return is_right ? blanks + text : text + blanks;
}

}  // namespace

RowsFormat require_rows_format(std::string_view name) {
    if (name == "table") return RowsFormat::table;
    if (name == "csv") return RowsFormat::csv;
    if (name == "json") return RowsFormat::json;
    if (name == "jsonl") return RowsFormat::jsonl;
    throw Error(ErrorKind::usage, "unknown output \"{}\"; known: table, csv, json, jsonl", name);
}

std::string format_table(const QueryResult& result, const Terminal& terminal, TableKind kind) {
    if (result.columns.empty()) return {};
    constexpr std::size_t gap = 2;
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < result.columns.size(); ++i) {
        std::size_t width = display_width(result.columns[i].name);
        for (const auto& row : result.rows) width = std::max(width, display_width(shown(row[i])));
        widths.push_back(width);
    }
    const std::size_t gaps = gap * (widths.size() - 1);
    const std::size_t available = terminal.width > gaps ? terminal.width - gaps : 0;
    if (kind == TableKind::named) fit_widths(widths, 1, available);
    fit_widths(widths, 0, available);
    std::string out;
    const auto line = [&](const auto& text_of) {
        std::string text;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            if (i > 0) text.append(gap, ' ');
            text += pad(fit(text_of(i), widths[i], terminal), widths[i], is_number_type(result.columns[i].type));
        }
        text.erase(text.find_last_not_of(' ') + 1);
        return text;
    };
    out += terminal.styled(Style::bold, line([&](std::size_t i) { return result.columns[i].name; })) + "\n";
    std::string rule;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        if (i > 0) rule.append(gap, ' ');
        for (std::size_t k = 0; k < widths[i]; ++k) rule += terminal.glyph("─", "-");
    }
    out += terminal.styled(Style::dim, rule) + "\n";
    for (const auto& row : result.rows) out += line([&](std::size_t i) { return shown(row[i]); }) + "\n";
    return out;
}

void print_rows(const QueryResult& result, RowsFormat format, const Terminal& terminal) {
    std::string out;
    switch (format) {
        case RowsFormat::table:
            out = format_table(result, terminal);
            break;
        case RowsFormat::csv:
            out = csv(result);
            break;
        case RowsFormat::json:
            out = "[";
            for (std::size_t i = 0; i < result.rows.size(); ++i) {
                out += i > 0 ? ",\n " : "";
                append_json_row(out, result, result.rows[i]);
            }
            out += "]\n";
            break;
        case RowsFormat::jsonl:
            for (const auto& row : result.rows) {
                append_json_row(out, result, row);
                out += '\n';
            }
            break;
    }
    std::fwrite(out.data(), 1, out.size(), stdout);
}

}  // namespace tipple::cli
