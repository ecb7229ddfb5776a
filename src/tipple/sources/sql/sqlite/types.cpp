#include "tipple/sources/sql/sqlite/types.h"

#include <charconv>
#include <vector>

#include "tipple/core/text.h"

namespace tipple::sources::sql::sqlite {

using columns::ColumnType;
using schema::DataType;

namespace {

constexpr int decimal_precision_max = 38;

/// `decimal(10, 2)`: the word, without what is in brackets, and the numbers in there.
struct Written {
    std::string words;
    std::vector<int> numbers;
};

Written read(const std::string& declared) {
    Written written;
    const std::string text = lower(declared);
    const std::size_t open = text.find('(');
    const std::size_t close = text.find(')', open == std::string::npos ? 0 : open);
    written.words = text.substr(0, open);
    if (open != std::string::npos && close != std::string::npos) {
        for (const char* at = text.data() + open + 1; at < text.data() + close;) {
            int number = 0;
            const auto [end, error] = std::from_chars(at, text.data() + close, number);
            if (error == std::errc()) written.numbers.push_back(number);
            at = error == std::errc() ? end : at + 1;
        }
        written.words += text.substr(close + 1);
    }
    std::string words;
    for (const char c : written.words) {
        const bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!is_blank) words += c;
        if (is_blank && !words.empty() && words.back() != ' ') words += ' ';
    }
    while (words.ends_with(' ')) words.pop_back();
    written.words = std::move(words);
    return written;
}

std::optional<ColumnType> decimal_of(const Written& written) {
    if (written.numbers.empty()) return ColumnType{.type = DataType::double_};
    const int precision = written.numbers[0];
    const int scale = written.numbers.size() > 1 ? written.numbers[1] : 0;
    if (precision < 1 || precision > decimal_precision_max || scale < 0 || scale > precision) return ColumnType{.type = DataType::double_};
    return ColumnType{.type = DataType::decimal, .precision = precision, .scale = scale};
}

bool has(const std::string& words, std::string_view part) { return words.find(part) != std::string::npos; }

std::optional<ColumnType> type_of(const Written& written) {
    const std::string& words = written.words;
    if (words == "bool" || words == "boolean") return ColumnType{.type = DataType::bool_};
    if (words == "date") return ColumnType{.type = DataType::date};
    if (words == "time" || words == "time without time zone") return ColumnType{.type = DataType::time};
    if (words == "timestamptz" || words == "timestamp with time zone" || words == "datetimeoffset") return ColumnType{.type = DataType::timestamp};
    if (words.starts_with("timestamp") || words.starts_with("datetime")) return ColumnType{.type = DataType::timestamp, .timezone = false};
    if (words == "json" || words == "jsonb") return ColumnType{.type = DataType::json};
    if (words == "uuid" || words == "guid" || words == "uniqueidentifier") return ColumnType{.type = DataType::text};
    if (words == "any") return std::nullopt;
    if (words.starts_with("decimal") || words.starts_with("numeric")) return decimal_of(written);
    // The database's own rules, in their order.
    if (has(words, "int")) return ColumnType{.type = DataType::bigint};
    if (has(words, "char") || has(words, "clob") || has(words, "text") || has(words, "string")) return ColumnType{.type = DataType::text};
    if (has(words, "blob") || has(words, "binary")) return ColumnType{.type = DataType::binary};
    if (has(words, "real") || has(words, "floa") || has(words, "doub")) return ColumnType{.type = DataType::double_};
    return std::nullopt;
}

}  // namespace

DeclaredColumn declared_column(std::string name, const std::string& declared) {
    // Widths and lengths are none that the database would hold anybody to.
    DeclaredColumn column{.name = std::move(name), .declared = declared, .type = type_of(read(declared))};
    return column;
}

}  // namespace tipple::sources::sql::sqlite
