#include "tipple/json/record_cutter.h"

#include <algorithm>
#include <cstring>

#include "tipple/core/error.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tipple::json {

namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_open(char c) { return c == '{' || c == '['; }
bool is_close(char c) { return c == '}' || c == ']'; }
bool ends_scalar(char c) { return is_space(c) || c == ',' || is_close(c) || is_open(c) || c == '"'; }

#if defined(__SSE2__)
struct BlockMasks {
    std::uint64_t quotes = 0;
    std::uint64_t slashes = 0;
    std::uint64_t opens = 0;
    std::uint64_t closes = 0;
};

BlockMasks block_masks(const char* bytes) {
    BlockMasks masks;
    for (int i = 0; i < 4; ++i) {
        const __m128i part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 16 * i));
        const auto mask = [&](__m128i equal) {
            return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(equal)))
                   << (16 * i);
        };
        // `[` and `{` differ in one bit, as do `]` and `}`.
        const __m128i folded = _mm_or_si128(part, _mm_set1_epi8(0x20));
        masks.quotes |= mask(_mm_cmpeq_epi8(part, _mm_set1_epi8('"')));
        masks.slashes |= mask(_mm_cmpeq_epi8(part, _mm_set1_epi8('\\')));
        masks.opens |= mask(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')));
        masks.closes |= mask(_mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
    }
    return masks;
}

/// Bit i = xor of bits 0..i: inside of quotes.
std::uint64_t prefix_xor(std::uint64_t bits) {
    for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    return bits;
}
#endif

}  // namespace

RecordCutter::RecordCutter(Path select) : select_(std::move(select)) {}

void RecordCutter::fail(const char* why) const {
    throw Error(ErrorKind::data, "byte {}: {}", base_ + at_, why);
}

void RecordCutter::scan(char* buffer, std::size_t size) {
    while (at_ < size) {
        if (skip_ != Skip::none) {
            const std::size_t from = at_;
            const bool ended = skip(buffer, size);
            if (!skip_is_record_) std::memset(buffer + from, ' ', at_ - from);
            if (ended) end_value(buffer);
        } else {
            step_outer(buffer, buffer[at_]);
        }
    }
}

void RecordCutter::finish() {
    if (skip_ == Skip::scalar && frames_.empty()) end_value(nullptr);
    if (skip_ != Skip::none || !frames_.empty()) fail("the text ends inside an object or list; it is cut off");
}

void RecordCutter::drop(std::size_t count) {
    TIPPLE_ASSERT(count <= complete_end_);
    base_ += count;
    at_ -= count;
    if (skip_ != Skip::none && skip_is_record_) skip_start_ -= count;
    complete_end_ -= count;
    starts_.erase(starts_.begin(), std::lower_bound(starts_.begin(), starts_.end(), count));
    for (std::size_t& start : starts_) start -= count;
}

void RecordCutter::drop_all() {
    TIPPLE_ASSERT(starts_.empty() && is_between_records());
    base_ += at_;
    at_ = 0;
    complete_end_ = 0;
}

void RecordCutter::begin_value(char* buffer, char c) {
    const bool selected = value_matches_ && value_matched_ == select_.steps().size();
    if (selected && c == '[') {
        frames_.push_back({.object = false, .elements = true, .matched = value_matched_, .index = 0});
        buffer[at_++] = ' ';
        state_ = State::element_or_end;
        return;
    }
    if (value_matches_ && !selected) {
        const Path::Step& step = select_.steps()[value_matched_];
        const bool opens_object = c == '{' && step.kind != Path::Step::Kind::index;
        const bool opens_array = c == '[' && step.kind != Path::Step::Kind::key;
        if (opens_object || opens_array) {
            frames_.push_back(
                {.object = opens_object, .elements = false, .matched = value_matched_, .index = 0});
            buffer[at_++] = ' ';
            state_ = opens_object ? State::key_or_end : State::element_or_end;
            return;
        }
    }
    skip_is_record_ = selected;
    skip_start_ = at_;
    depth_ = 0;
    in_string_ = false;
    escaped_ = false;
    skip_ = is_open(c) ? Skip::container : c == '"' ? Skip::text : Skip::scalar;
    if (skip_ == Skip::scalar && ends_scalar(c)) fail("a value is missing");
    if (skip_ == Skip::text) {
        if (!skip_is_record_) buffer[at_] = ' ';
        ++at_;
    }
}

void RecordCutter::end_value(char*) {
    if (skip_is_record_) {
        starts_.push_back(skip_start_);
        complete_end_ = at_;
    }
    skip_ = Skip::none;
    state_ = frames_.empty() ? State::value : State::after_value;
    if (frames_.empty()) {
        value_matches_ = true;
        value_matched_ = 0;
    }
}

void RecordCutter::pop() {
    frames_.pop_back();
    state_ = frames_.empty() ? State::value : State::after_value;
    if (frames_.empty()) {
        value_matches_ = true;
        value_matched_ = 0;
    }
}

void RecordCutter::set_value_match_for_element() {
    const Frame& frame = frames_.back();
    if (frame.elements) {
        value_matches_ = true;
        value_matched_ = select_.steps().size();
        return;
    }
    const Path::Step& step = select_.steps()[frame.matched];
    value_matches_ = step.kind == Path::Step::Kind::wildcard || step.index == frame.index;
    value_matched_ = frame.matched + 1;
}

/// One character outside of records and skipped values.
void RecordCutter::step_outer(char* buffer, char c) {
    if (state_ == State::in_key) {
        if (key_escaped_) {
            key_escaped_ = false;
        } else if (c == '\\') {
            key_escaped_ = true;
        } else if (c == '"') {
            state_ = State::colon;
        }
        if (state_ == State::in_key) key_ += c;
        buffer[at_++] = ' ';
        return;
    }
    if (is_space(c)) {
        ++at_;
        return;
    }
    switch (state_) {
        case State::value:
            // Between the elements of a list `value` follows a comma, so an end here is a stray comma.
            begin_value(buffer, c);
            return;
        case State::element_or_end:
            if (c == ']') {
                buffer[at_++] = ' ';
                pop();
                return;
            }
            set_value_match_for_element();
            begin_value(buffer, c);
            return;
        case State::key_or_end:
        case State::key:
            if (c == '}' && state_ == State::key_or_end) {
                buffer[at_++] = ' ';
                pop();
                return;
            }
            if (c != '"') fail("expected a name in double quotes");
            key_.clear();
            buffer[at_++] = ' ';
            state_ = State::in_key;
            return;
        case State::colon: {
            if (c != ':') fail("expected `:` behind the name");
            const Frame& frame = frames_.back();
            const Path::Step& step = select_.steps()[frame.matched];
            value_matches_ = step.kind == Path::Step::Kind::wildcard || step.key == key_;
            value_matched_ = frame.matched + 1;
            buffer[at_++] = ' ';
            state_ = State::value;
            return;
        }
        case State::after_value: {
            Frame& frame = frames_.back();
            if (c == ',') {
                ++frame.index;
                if (frame.object) {
                    state_ = State::key;
                } else {
                    set_value_match_for_element();
                    state_ = State::value;
                }
                buffer[at_++] = ' ';
                return;
            }
            if (c != (frame.object ? '}' : ']')) fail("expected a comma or the end of the list or object");
            buffer[at_++] = ' ';
            pop();
            return;
        }
        case State::in_key:
            return;
    }
}

/// Moves over the value that is being skipped. True when its end was reached; `at_` is then behind it.
bool RecordCutter::skip(const char* buffer, std::size_t size) {
    if (skip_ == Skip::container) return skip_container(buffer, size);
    if (skip_ == Skip::text) {
        while (at_ < size) {
            const char c = buffer[at_++];
            if (escaped_) {
                escaped_ = false;
            } else if (c == '\\') {
                escaped_ = true;
            } else if (c == '"') {
                return true;
            }
        }
        return false;
    }
    while (at_ < size && !ends_scalar(buffer[at_])) ++at_;
    return at_ < size;
}

bool RecordCutter::skip_container(const char* buffer, std::size_t size) {
    while (at_ < size) {
#if defined(__SSE2__)
        if (size - at_ >= 64 && !escaped_) {
            const BlockMasks masks = block_masks(buffer + at_);
            if (masks.slashes == 0) {
                std::uint64_t inside = prefix_xor(masks.quotes);
                if (in_string_) inside = ~inside;
                std::uint64_t brackets = (masks.opens | masks.closes) & ~inside;
                while (brackets != 0) {
                    const int bit = __builtin_ctzll(brackets);
                    brackets &= brackets - 1;
                    if (((masks.opens >> bit) & 1) != 0) {
                        ++depth_;
                    } else if (--depth_ == 0) {
                        at_ += static_cast<std::size_t>(bit) + 1;
                        return true;
                    }
                }
                in_string_ = (inside >> 63) != 0;
                at_ += 64;
                continue;
            }
        }
#endif
        const std::size_t stop = std::min(size, at_ + 64);
        while (at_ < stop) {
            const char c = buffer[at_++];
            if (escaped_) {
                escaped_ = false;
            } else if (in_string_) {
                if (c == '\\') escaped_ = true;
                if (c == '"') in_string_ = false;
            } else if (c == '"') {
                in_string_ = true;
            } else if (is_open(c)) {
                ++depth_;
            } else if (is_close(c) && --depth_ == 0) {
                return true;
            }
        }
    }
    return false;
}

std::size_t document_length(std::string_view text) {
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (is_open(c)) {
            ++depth;
        } else if (is_close(c) && depth > 0 && --depth == 0) {
            return i + 1;
        }
    }
    return text.size();
}

}  // namespace tipple::json
