#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/sources/csv/dialect.h"

namespace tipple::sources::csv {

/// A field inside the scanned text, without its quotes.
struct Field {
    std::uint32_t start = 0;
    std::uint32_t length : 31 = 0;
    std::uint32_t has_escapes : 1 = 0;
};

struct Record {
    std::size_t start = 0;  ///< in the text
    std::size_t end = 0;    ///< behind its last character; the line's end is not part of it
    std::uint64_t line = 0;  ///< on which it starts; those before the scanned text are counted too
    std::uint32_t first_field = 0;
    std::uint32_t field_count = 0;
    const char* problem = nullptr;  ///< why it is no record; such ones have no fields
};

/// Some records of a text.
struct Records {
    std::vector<Field> fields;
    std::vector<Record> records;
    /// Where the next one starts: what lies before is done with.
    std::size_t end = 0;
    /// The text ends inside of quotes.
    bool is_in_quotes = false;

    void clear();
};

/// Divides text into records and fields, as it comes: a line ends with LF, CR LF or CR; line breaks in quotes belong to the field; lines without
/// anything, and comments, are no records. One content from start to end; counts its lines.
class Scanner {
public:
    /// `line`: the number of the first line.
    explicit Scanner(const Dialect& dialect, std::uint64_t line = 1);

    /// What follows.
    enum class Rest { more, nothing };
    /// Takes up to `records_max` whole records off `text`, which stays as it is, from `from` on; up to 2 GiB. A quote that is never closed makes its
    /// bad record.
    void scan(std::string& text, std::size_t from, Rest rest, std::size_t records_max, Records& records);
    /// The next record is too large because a quote does not end: its first line is taken off as a bad record.
    void give_up_quotes(std::string_view text, std::size_t from, Records& records);
    /// Takes whole lines off, whatever is in them. Returns how many there were, up to `count`; `end` = where the next line starts.
    std::uint64_t skip_lines(std::string_view text, std::uint64_t count, Rest rest, std::size_t& end);

private:
    enum class Step { record, nothing, more, open_quotes };
    Step scan_record(const char* text, std::size_t at, std::size_t size, Rest rest, Records& records);
    Step scan_quoted(const char* text, std::size_t& at, std::size_t size, Rest rest, Field& field, const char*& problem);
    void scan_plain(const char* text, std::size_t& at, std::size_t size, Field& field);
    bool is_delimiter(const char* text, std::size_t at, std::size_t size) const;
    void add_open_quotes(std::string_view text, std::size_t at, Records& records);
    std::size_t end_line(const char* text, std::size_t at, std::size_t size);

    Dialect dialect_;
    std::array<bool, 256> ends_plain_{};
    std::uint64_t line_;
};

/// The text of a field of `text`; `scratch` holds it when it differs from what stands there, and must outlive it.
std::string_view field_text(const Dialect& dialect, std::string_view text, const Field& field, std::string& scratch);

}  // namespace tipple::sources::csv
