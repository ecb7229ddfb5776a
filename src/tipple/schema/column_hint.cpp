#include "tipple/schema/column_hint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::schema {

namespace {

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find(separator, start), text.size());
        parts.emplace_back(text.substr(start, end - start));
        start = end + 1;
    }
    return parts;
}

/// Type names, for "did you mean".
std::vector<std::string> type_names() {
    std::vector<std::string> names;
    for (int i = 0; i < data_type_count; ++i) names.emplace_back(to_text(static_cast<DataType>(i)));
    return names;
}

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    ColumnHint parse() {
        const std::vector<std::string> parts = split(text_, ':');
        if (parts.size() < 2) fail("it has the form NAME:TYPE[:HINT], such as amount:decimal(10,2) or id:bigint:key");
        std::vector<std::string> path = split(parts[0], '/');
        for (const std::string& key : path) {
            if (key.find_first_not_of(' ') == std::string::npos) fail("a name in it is empty");
        }
        hint_.column = Column(path.back());
        path.pop_back();
        hint_.path = std::move(path);
        if (!parts[1].empty()) set_type(parts[1]);
        for (std::size_t i = 2; i < parts.size(); ++i) set_hint(parts[i]);
        return std::move(hint_);
    }

private:
    [[noreturn]] void fail(const std::string& reason) const { throw Error(ErrorKind::usage, "column hint \"{}\": {}", text_, reason); }

    void set_type(const std::string& spec) {
        const std::size_t bracket = spec.find('(');
        const std::string name = spec.substr(0, bracket);
        const std::optional<DataType> type = find_data_type(name);
        if (!type) {
            const std::vector<std::string> names = type_names();
            const std::optional<std::string> near = did_you_mean(name, names);
            fail(fmt::format("\"{}\" is no type{}; known: {}", name, near ? fmt::format(" (did you mean {}?)", *near) : "", fmt::join(names, ", ")));
        }
        hint_.column.set_data_type(*type);
        if (bracket == std::string::npos) return;
        if (spec.back() != ')') fail("the bracket behind the type is not closed");
        const std::vector<std::string> numbers = split(std::string_view(spec).substr(bracket + 1, spec.size() - bracket - 2), ',');
        if (numbers.size() > (*type == DataType::decimal ? 2U : 1U)) fail(fmt::format("{} does not take so many numbers", name));
        static constexpr std::array<const char*, 2> names = {"precision", "scale"};
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            int number = 0;
            const auto [end, error] = std::from_chars(numbers[i].data(), numbers[i].data() + numbers[i].size(), number);
            if (error != std::errc() || end != numbers[i].data() + numbers[i].size() || number < 0) fail(fmt::format("\"{}\" is no number", numbers[i]));
            hint_.column.set_hint(names[i], number);
        }
        if (*type == DataType::decimal && hint_.column.precision() && (*hint_.column.precision() > 38 || hint_.column.scale().value_or(0) > *hint_.column.precision())) {
            fail("a decimal has at most 38 digits, and not more behind the point than in all");
        }
    }

    void set_hint(const std::string& spec) {
        const std::size_t equals = spec.find('=');
        const std::string name = spec.substr(0, equals);
        const std::string value = equals == std::string::npos ? "" : spec.substr(equals + 1);
        if (name == "key" || name == "primary_key") {
            hint_.is_key = true;
            hint_.column.set_hint("primary_key", true);
            hint_.column.set_nullable(false);
        } else if (name == "merge_key" || name == "unique" || name == "hard_delete") {
            hint_.column.set_hint(name, true);
        } else if (name == "not_null" || name == "nullable") {
            hint_.column.set_nullable(name == "nullable");
        } else if (name == "dedup_sort" && (value == "asc" || value == "desc")) {
            hint_.column.set_hint(name, value);
        } else if (name == "timezone" && (value == "true" || value == "false")) {
            hint_.column.set_hint(name, value == "true");
        } else if (name == "description" && !value.empty()) {
            hint_.column.set_hint(name, value);
        } else {
            fail(fmt::format("\"{}\" is no hint; known: key, merge_key, unique, not_null, nullable, hard_delete, dedup_sort=asc|desc, "
                             "timezone=true|false, description=TEXT",
                             spec));
        }
    }

    std::string_view text_;
    ColumnHint hint_;
};

}  // namespace

ColumnHint parse_column_hint(std::string_view text) { return Parser(text).parse(); }

void add_column_hint(ColumnHint hint, std::string_view text, std::vector<Column>& columns, std::vector<NestedHints>& nested) {
    if (hint.path.empty()) {
        columns.push_back(std::move(hint.column));
        return;
    }
    if (hint.is_key) throw Error(ErrorKind::usage, "column hint \"{}\": a nested table has no key of its own here", text);
    const auto same = std::find_if(nested.begin(), nested.end(), [&](const NestedHints& known) { return known.path == hint.path; });
    NestedHints& table = same != nested.end() ? *same : nested.emplace_back(NestedHints{.path = hint.path, .hints = {}});
    table.hints.columns.push_back(std::move(hint.column));
}

}  // namespace tipple::schema
