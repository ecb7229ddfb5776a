#include "tipple/sources/csv/survey.h"

#include <algorithm>
#include <deque>
#include <vector>

#include "tipple/sources/csv/header.h"
#include "tipple/sources/csv/scanner.h"

namespace tipple::sources::csv {

namespace {

/// Enough to see how lines are divided.
constexpr std::size_t dialect_bytes = std::size_t{16} << 10;
constexpr std::size_t records_max = 16'384;

std::vector<Beginning> cut(std::span<const Beginning> files) {
    std::vector<Beginning> beginnings;
    for (const Beginning& file : files) {
        const bool is_all = file.is_all && file.text.size() <= dialect_bytes;
        beginnings.push_back({.text = file.text.substr(0, dialect_bytes), .is_all = is_all});
    }
    return beginnings;
}

/// The values of each column, over all files. Views into the files and into `unescaped`.
struct Values {
    std::map<std::string, std::vector<std::string_view>, std::less<>> by_column;
    std::deque<std::string> unescaped;
    std::size_t width = 0;
};

void gather(Beginning& file, const Dialect& dialect, const Options& options, Values& values) {
    Scanner scanner(dialect);
    const Scanner::Rest rest = file.is_all ? Scanner::Rest::nothing : Scanner::Rest::more;
    std::size_t start = 0;
    scanner.skip_lines(file.text, options.skip_lines, rest, start);
    Records records;
    scanner.scan(file.text, start, rest, records_max, records);
    if (records.records.empty()) return;
    std::string scratch;
    const auto text_of = [&](const Record& record, std::size_t i) { return field_text(dialect, file.text, records.fields[record.first_field + i], scratch); };
    const Record& first = records.records.front();
    std::vector<std::string> names = plain_names(first.field_count);
    if (options.has_header) {
        for (std::size_t i = 0; i < names.size(); ++i) names[i] = text_of(first, i);
        names = column_names(std::move(names));
    }
    values.width = std::max(values.width, names.size());
    std::vector<std::vector<std::string_view>*> columns;
    for (const std::string& name : names) columns.push_back(&values.by_column[name]);
    for (std::size_t row = options.has_header ? 1 : 0; row < records.records.size(); ++row) {
        const Record& record = records.records[row];
        if (record.field_count != names.size()) continue;
        for (std::size_t i = 0; i < names.size(); ++i) {
            std::string_view text = text_of(record, i);
            if (std::find(options.nulls.begin(), options.nulls.end(), text) != options.nulls.end()) continue;
            if (text.data() == scratch.data()) text = values.unescaped.emplace_back(text);
            columns[i]->push_back(text);
        }
    }
}

}  // namespace

Survey survey(std::span<const Beginning> files, const Options& options, const std::optional<std::string>& format_delimiter) {
    Survey found{.dialect = find_dialect(cut(files), options, format_delimiter), .types = options.types};
    std::vector<Beginning> texts(files.begin(), files.end());
    Values values;
    for (Beginning& file : texts) gather(file, found.dialect, options, values);
    found.width = values.width;
    for (const auto& [name, column] : values.by_column) {
        const std::optional<Type> type = find_type(column);
        if (type) found.types.emplace(name, *type);
    }
    return found;
}

Dialect own_dialect(const Beginning& file, const Options& options) {
    const std::vector<Beginning> one = cut({&file, 1});
    return find_dialect(one, options, std::nullopt);
}

}  // namespace tipple::sources::csv
