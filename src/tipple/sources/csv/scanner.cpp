#include "tipple/sources/csv/scanner.h"

#include <algorithm>
#include <cstring>

#include "tipple/core/error.h"

namespace tipple::sources::csv {

void Records::clear() {
    fields.clear();
    records.clear();
    is_in_quotes = false;
}

namespace {

/// Line breaks of any kind.
std::uint64_t count_breaks(std::string_view text) {
    std::uint64_t count = 0;
    for (std::size_t at = text.find_first_of("\r\n"); at != std::string_view::npos; at = text.find_first_of("\r\n", at + 1)) {
        if (text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n') ++at;
        ++count;
    }
    return count;
}

}  // namespace

Scanner::Scanner(const Dialect& dialect, std::uint64_t line) : dialect_(dialect), line_(line) {
    TIPPLE_ASSERT(!dialect.delimiter.empty());
    for (const char c : {dialect_.delimiter.front(), '\n', '\r'}) ends_plain_[static_cast<unsigned char>(c)] = true;
    if (dialect_.escape != dialect_.quote && dialect_.escape != 0) ends_plain_[static_cast<unsigned char>(dialect_.escape)] = true;
}

bool Scanner::is_delimiter(const char* text, std::size_t at, std::size_t size) const {
    const std::string& delimiter = dialect_.delimiter;
    if (text[at] != delimiter.front()) return false;
    return delimiter.size() == 1 || (size - at >= delimiter.size() && std::memcmp(text + at, delimiter.data(), delimiter.size()) == 0);
}

/// Behind a line's end, which is counted; `at` where it is.
std::size_t Scanner::end_line(const char* text, std::size_t at, std::size_t size) {
    ++line_;
    const bool is_pair = text[at] == '\r' && at + 1 < size && text[at + 1] == '\n';
    return at + (is_pair ? 2 : 1);
}

void Scanner::scan_plain(const char* text, std::size_t& at, std::size_t size, Field& field) {
    while (true) {
        // The line feed behind the text ends it at the latest.
        while (!ends_plain_[static_cast<unsigned char>(text[at])]) ++at;
        if (at >= size || text[at] == '\n' || text[at] == '\r' || is_delimiter(text, at, size)) return;
        if (text[at] == dialect_.escape) {
            field.has_escapes = 1;
            if (at + 1 < size && (text[at + 1] == '\n' || text[at + 1] == '\r')) ++line_;
            ++at;
            if (at < size) ++at;
            continue;
        }
        ++at;
    }
}

/// `at`: the opening quote. Moves behind the field, to a delimiter, the line's end or the end of all.
Scanner::Step Scanner::scan_quoted(const char* text, std::size_t& at, std::size_t size, Rest rest, Field& field, const char*& problem) {
    const std::size_t start = at + 1;
    std::size_t place = start;
    while (true) {
        const char* found = nullptr;
        if (dialect_.escape == dialect_.quote || dialect_.escape == 0) {
            found = static_cast<const char*>(std::memchr(text + place, dialect_.quote, size - place));
        } else {
            for (std::size_t i = place; i < size && found == nullptr; ++i) {
                if (text[i] == dialect_.quote || text[i] == dialect_.escape) found = text + i;
            }
        }
        if (found == nullptr) return rest == Rest::more ? Step::more : Step::open_quotes;
        place = static_cast<std::size_t>(found - text);
        if (*found != dialect_.quote) {
            field.has_escapes = 1;
            place += 2;
            if (place > size) return rest == Rest::more ? Step::more : Step::open_quotes;
            continue;
        }
        // What comes behind decides whether this quote is the last one.
        if (place + 1 == size && rest == Rest::more) return Step::more;
        if (dialect_.escape == dialect_.quote && place + 1 < size && text[place + 1] == dialect_.quote) {
            field.has_escapes = 1;
            place += 2;
            continue;
        }
        break;
    }
    field.start = static_cast<std::uint32_t>(start);
    field.length = static_cast<std::uint32_t>(place - start) & 0x7fff'ffffU;
    line_ += count_breaks({text + start, place - start});
    at = place + 1;
    while (at < size && text[at] == ' ' && !is_delimiter(text, at, size)) ++at;
    if (at >= size || text[at] == '\n' || text[at] == '\r' || is_delimiter(text, at, size)) return Step::record;
    problem = "there is text behind a closing quote";
    Field ignored;
    scan_plain(text, at, size, ignored);
    return Step::record;
}

Scanner::Step Scanner::scan_record(const char* text, std::size_t at, std::size_t size, Rest rest, Records& records) {
    const std::uint64_t line = line_;
    Record record{.start = at, .line = line, .first_field = static_cast<std::uint32_t>(records.fields.size())};
    const auto undo = [&](Step step) {
        line_ = line;
        records.fields.resize(record.first_field);
        return step;
    };
    while (true) {
        Field field{.start = static_cast<std::uint32_t>(at)};
        std::size_t quote_at = at;
        if (dialect_.quote != 0) {
            while (quote_at < size && text[quote_at] == ' ' && !is_delimiter(text, quote_at, size)) ++quote_at;
        }
        if (dialect_.quote != 0 && quote_at < size && text[quote_at] == dialect_.quote) {
            at = quote_at;
            const Step step = scan_quoted(text, at, size, rest, field, record.problem);
            records.is_in_quotes = step == Step::more;
            if (step != Step::record) return undo(step);
        } else {
            scan_plain(text, at, size, field);
            field.length = static_cast<std::uint32_t>(at - field.start) & 0x7fff'ffffU;
        }
        records.fields.push_back(field);
        if (at < size && text[at] != '\n' && text[at] != '\r') {
            at += dialect_.delimiter.size();
            continue;
        }
        // A CR at the end may be half of a line's end, and a last line without an end goes on.
        if (rest == Rest::more && (at >= size || (text[at] == '\r' && at + 1 == size))) return undo(Step::more);
        record.end = at;
        records.end = at < size ? end_line(text, at, size) : at;
        break;
    }
    record.field_count = static_cast<std::uint32_t>(records.fields.size()) - record.first_field;
    if (record.problem != nullptr) {
        records.fields.resize(record.first_field);
        record.field_count = 0;
    }
    records.records.push_back(record);
    return Step::record;
}

void Scanner::add_open_quotes(std::string_view text, std::size_t at, Records& records) {
    const std::size_t end = std::min(text.find_first_of("\r\n", at), text.size());
    records.records.push_back({.start = at,
                               .end = end,
                               .line = line_,
                               .first_field = static_cast<std::uint32_t>(records.fields.size()),
                               .problem = "a quote is opened and never closed"});
    records.end = end < text.size() ? end_line(text.data(), end, text.size()) : end;
}

void Scanner::give_up_quotes(std::string_view text, std::size_t from, Records& records) {
    records.clear();
    add_open_quotes(text, from, records);
}

void Scanner::scan(std::string& text, std::size_t from, Rest rest, std::size_t records_max, Records& records) {
    records.clear();
    const std::size_t size = text.size();
    // So that a plain field ends without a look at the size.
    text.push_back('\n');
    const char* bytes = text.data();
    const std::string_view given(bytes, size);
    std::size_t at = from;
    records.end = from;
    while (at < size && records.records.size() < records_max) {
        if (bytes[at] == '\n' || (bytes[at] == '\r' && (at + 1 < size || rest == Rest::nothing))) {
            at = records.end = end_line(bytes, at, size);
            continue;
        }
        if (dialect_.comment != 0 && bytes[at] == dialect_.comment) {
            const std::size_t end = given.find_first_of("\r\n", at);
            const bool is_whole = end != std::string_view::npos && (bytes[end] == '\n' || end + 1 < size);
            if (!is_whole && rest == Rest::more) break;
            at = records.end = end == std::string_view::npos ? size : end_line(bytes, end, size);
            continue;
        }
        if (bytes[at] == '\r' && at + 1 == size) break;
        const Step step = scan_record(bytes, at, size, rest, records);
        if (step == Step::open_quotes) add_open_quotes(given, at, records);
        if (step == Step::more) break;
        at = records.end;
    }
    text.pop_back();
}

std::uint64_t Scanner::skip_lines(std::string_view text, std::uint64_t count, Rest rest, std::size_t& end) {
    std::uint64_t skipped = 0;
    end = 0;
    while (skipped < count) {
        const std::size_t line_end = text.find_first_of("\r\n", end);
        if (line_end == std::string_view::npos || (text[line_end] == '\r' && line_end + 1 == text.size() && rest == Rest::more)) break;
        end = end_line(text.data(), line_end, text.size());
        ++skipped;
    }
    return skipped;
}

std::string_view field_text(const Dialect& dialect, std::string_view text, const Field& field, std::string& scratch) {
    const std::string_view raw = text.substr(field.start, field.length);
    if (field.has_escapes == 0) return raw;
    const char escape = dialect.escape;
    scratch.clear();
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const char next = i + 1 < raw.size() ? raw[i + 1] : '\0';
        const bool is_escaped = next == dialect.quote || next == escape || (escape != dialect.quote && (next == dialect.delimiter.front() || next == '\n' || next == '\r'));
        if (raw[i] == escape && i + 1 < raw.size() && is_escaped) ++i;
        scratch += raw[i];
    }
    return scratch;
}

}  // namespace tipple::sources::csv
