#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/json/path.h"

namespace tipple::json {

/// Finds where records begin and end in JSON that arrives in pieces, without parsing it: quotes, escapes and brackets only, 64 bytes
/// at a time. So a JSON array of any size streams like JSON lines do.
///
/// The document, or each of several that stand one after another, is searched for the places `select` names. A list found there
/// gives its elements as records, anything else is one record. Whatever lies outside of records (brackets, commas, other members) is
/// overwritten with blanks in the caller's buffer, so that what is left is one record after another.
class RecordCutter {
public:
    explicit RecordCutter(Path select);

    /// Reads `buffer[scanned(), size)`, appending to `starts()`. Throws Error(data) with a byte offset on broken structure.
    void scan(char* buffer, std::size_t size);

    /// No more bytes come. Completes a scalar record at the end; throws Error(data) when the text ends inside something.
    void finish();

    /// Offsets of the complete records seen since the last `drop`.
    const std::vector<std::size_t>& starts() const { return starts_; }
    /// End of the last complete record; 0 when there is none. Every byte before it belongs to a record or is blank.
    std::size_t complete_end() const { return complete_end_; }
    /// Bytes of the buffer that have been read.
    std::size_t scanned() const { return at_; }

    /// Whether what was read since the last record is blank: nothing of it belongs to a record.
    bool is_between_records() const { return skip_ == Skip::none || !skip_is_record_; }
    /// The caller has removed all of its buffer, which held no record and no part of one.
    void drop_all();

    /// The caller has removed the first `count` bytes of its buffer, at most `complete_end()`.
    void drop(std::size_t count);

private:
    enum class State { value, key_or_end, key, in_key, colon, element_or_end, after_value };
    enum class Skip { none, container, text, scalar };
    struct Frame {
        bool object = false;
        bool elements = false;   ///< a selected list: its elements are records
        std::size_t matched = 0;  ///< steps matched by the container itself
        std::size_t index = 0;
    };

    void begin_value(char* buffer, char c);
    void end_value(char* buffer);
    void pop();
    void step_outer(char* buffer, char c);
    bool skip(const char* buffer, std::size_t size);
    bool skip_container(const char* buffer, std::size_t size);
    void set_value_match_for_element();
    [[noreturn]] void fail(const char* why) const;

    Path select_;
    State state_ = State::value;
    std::vector<Frame> frames_;
    bool value_matches_ = true;      ///< whether the value about to begin lies on the path
    std::size_t value_matched_ = 0;  ///< steps matched by it
    std::string key_;
    bool key_escaped_ = false;

    Skip skip_ = Skip::none;
    bool skip_is_record_ = false;
    std::size_t skip_start_ = 0;
    std::size_t depth_ = 0;
    bool in_string_ = false;
    bool escaped_ = false;

    std::size_t at_ = 0;
    std::size_t complete_end_ = 0;
    std::uint64_t base_ = 0;  ///< offset of buffer[0] in the whole text
    std::vector<std::size_t> starts_;
};

/// Length of the object or list that `text` starts with, by its brackets; all of `text` when it does not end.
std::size_t document_length(std::string_view text);

}  // namespace tipple::json
