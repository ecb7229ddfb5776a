#include "tipple/sources/csv/dialect.h"

#include <algorithm>
#include <array>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/json/read.h"
#include "tipple/json/value.h"
#include "tipple/schema/column_hint.h"
#include "tipple/sources/csv/scanner.h"

namespace tipple::sources::csv {

namespace {

/// The only character of an option; 0 for `none`, or nothing.
char character_of(const std::string& name, const std::string& text) {
    if (text.empty() || text == "none") return 0;
    const bool is_ascii = text.size() == 1 && static_cast<unsigned char>(text.front()) < 0x80;
    if (is_ascii && text != "\n" && text != "\r") return text.front();
    throw Error(ErrorKind::usage, "{} is one ASCII character or none, not \"{}\"", name, excerpt(text));
}

Type parse_type(const std::string& option, const std::string& column, const std::string& text) {
    try {
        if (const std::optional<Type> type = declared_type(schema::parse_column_hint("x:" + text).column)) return *type;
    } catch (const Error& error) {
        throw Error(ErrorKind::usage, "{}, column \"{}\": {}", option, excerpt(column), error.what());
    }
    throw Error(ErrorKind::usage, "{}, column \"{}\": a text is not read as {}; known: text, bigint, double, bool, timestamp, date, time, decimal(12,2)", option,
                excerpt(column), excerpt(text));
}

}  // namespace

std::map<std::string, Type, std::less<>> parse_types(const std::string& text, const std::string& option) {
    std::map<std::string, Type, std::less<>> types;
    if (text.starts_with('{')) {
        const json::Value table = json::parse(text);
        for (const json::Member& member : table.as_object()) {
            if (!member.value.is_text()) throw Error(ErrorKind::usage, "{}, column \"{}\": its type is a text such as \"decimal(12,2)\"", option, excerpt(member.name));
            types.emplace(member.name, parse_type(option, member.name, member.value.as_text()));
        }
        return types;
    }
    for (const std::string& line : config::lines_of(text)) {
        const std::size_t colon = line.rfind(':');
        if (colon == 0 || colon == std::string::npos) throw Error(ErrorKind::usage, "{}: \"{}\" is not of the form NAME:TYPE", option, excerpt(line));
        types.emplace(line.substr(0, colon), parse_type(option, line.substr(0, colon), line.substr(colon + 1)));
    }
    return types;
}

std::vector<config::OptionSpec> option_specs() {
    return {
        {.name = "csv_delimiter", .summary = "Between the fields of a CSV line; found out from the files when not given."},
        {.name = "csv_header", .summary = "Whether the first line of a CSV file names the columns.", .kind = config::OptionKind::boolean, .default_value = "true"},
        {.name = "csv_quote", .summary = "Around fields that hold delimiters or line breaks: one character, or none; found out when not given."},
        {.name = "csv_escape", .summary = "Before a quote that belongs to the field; found out when not given: the quote itself, or a backslash."},
        {.name = "csv_null", .summary = "Texts that are null, one per line or as a list; the empty field when not given."},
        {.name = "csv_types", .summary = "Types of columns by the names in the header, as a table, or NAME:TYPE, one per line; found out when not given."},
        {.name = "csv_comment", .summary = "Lines that begin with this character do not count; none when not given."},
        {.name = "csv_skip_lines", .summary = "So many lines are left out at the beginning of each file.", .kind = config::OptionKind::integer, .default_value = "0"},
    };
}

Options parse_options(const config::Options& given) {
    Options options;
    options.delimiter = given.find("csv_delimiter");
    if (options.delimiter && options.delimiter->empty()) options.delimiter.reset();
    if (options.delimiter && options.delimiter->find_first_of("\r\n") != std::string::npos) throw Error(ErrorKind::usage, "csv_delimiter must not hold a line break");
    options.has_header = given.find("csv_header").value_or("true") == "true";
    if (const auto quote = given.find("csv_quote")) options.quote = character_of("csv_quote", *quote);
    if (const auto escape = given.find("csv_escape")) options.escape = character_of("csv_escape", *escape);
    if (const auto comment = given.find("csv_comment")) options.comment = character_of("csv_comment", *comment);
    if (const auto nulls = given.find("csv_null")) options.nulls = config::lines_of(*nulls);
    if (const auto types = given.find("csv_types")) options.types = parse_types(*types, "csv_types");
    const std::int64_t skipped = std::stoll(given.find("csv_skip_lines").value_or("0"));
    if (skipped < 0) throw Error(ErrorKind::usage, "csv_skip_lines must not be negative");
    options.skip_lines = static_cast<std::uint64_t>(skipped);
    for (const char c : {options.quote.value_or(0), options.escape.value_or(0), options.comment}) {
        if (c != 0 && options.delimiter && options.delimiter->find(c) != std::string::npos) {
            throw Error(ErrorKind::usage, "\"{}\" cannot be part of the delimiter and the quote, escape or comment character of a CSV file as well", std::string(1, c));
        }
    }
    return options;
}

namespace {

/// How well a dialect suits files.
struct Suit {
    double regular = 0;  ///< the share of lines that are like the first one of their file
    bool has_several_fields = false;

    bool is_better_than(const Suit& other) const {
        // A file with several columns may have many broken lines; one with a single column has none.
        const auto weight = [](const Suit& suit) { return suit.regular * (suit.has_several_fields ? 4 : 1); };
        return weight(*this) > weight(other) + 1e-9;
    }
};

Suit suit_of(std::span<const Beginning> files, const Dialect& dialect, const Options& options) {
    constexpr std::size_t records_max = 1'000;
    std::size_t regular = 0;
    std::size_t all = 0;
    std::size_t several = 0;
    Records records;
    for (const Beginning& file : files) {
        Scanner scanner(dialect);
        std::string text = file.text;
        const Scanner::Rest rest = file.is_all ? Scanner::Rest::nothing : Scanner::Rest::more;
        std::size_t start = 0;
        scanner.skip_lines(text, options.skip_lines, rest, start);
        scanner.scan(text, start, rest, records_max, records);
        if (records.records.empty()) continue;
        const std::uint32_t width = records.records.front().field_count;
        for (const Record& record : records.records) regular += record.field_count == width && width > 0 ? 1 : 0;
        all += records.records.size();
        several += width > 1 ? 1 : 0;
    }
    return {.regular = all == 0 ? 0 : static_cast<double>(regular) / static_cast<double>(all), .has_several_fields = several * 2 > files.size()};
}

}  // namespace

Dialect find_dialect(std::span<const Beginning> files, const Options& options, const std::optional<std::string>& format_delimiter) {
    std::vector<std::string> delimiters = {",", ";", "\t", "|"};
    if (format_delimiter) delimiters = {*format_delimiter};
    if (options.delimiter) delimiters = {*options.delimiter};
    const auto is_in_text = [&](std::string_view part) { return std::any_of(files.begin(), files.end(), [&](const Beginning& file) { return file.text.find(part) != std::string::npos; }); };
    // A broken line must not make another character the quote, so there have to be signs of it.
    std::vector<std::pair<char, char>> quotes;
    for (const char quote : {'"', '\''}) {
        if (options.quote ? quote == '\'' : quote == '\'' && (is_in_text("\"") || !is_in_text("'"))) continue;
        const char own = options.quote.value_or(quote);
        quotes.emplace_back(own, options.escape.value_or(own));
        if (!options.escape && own != 0 && is_in_text(std::string("\\") + own)) quotes.emplace_back(own, '\\');
    }
    Dialect best{.delimiter = delimiters.front(), .quote = quotes.front().first, .escape = quotes.front().second, .comment = options.comment};
    if (files.empty()) return best;
    Suit best_suit;
    for (const auto& [quote, escape] : quotes) {
        for (const std::string& delimiter : delimiters) {
            const Dialect dialect{.delimiter = delimiter, .quote = quote, .escape = escape, .comment = options.comment};
            const Suit suit = suit_of(files, dialect, options);
            if (!suit.is_better_than(best_suit)) continue;
            best = dialect;
            best_suit = suit;
        }
    }
    return best;
}

}  // namespace tipple::sources::csv
