#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "tipple/json/path.h"
#include "tipple/json/pull.h"
#include "tipple/json/value.h"

namespace tipple::json {

/// A part of a text.
struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t size() const { return end - begin; }
};

/// What one pass over a document has found.
struct PageScan {
    /// Whether the records' path leads anywhere, be it to null or an empty list.
    bool has_selection = false;
    /// In the order of the path. Spans of scalars and brackets alike, without white space around them; none comes twice.
    std::vector<Span> records;
    /// A record does not lie behind the one before it: the path has an order of its own, or found something inside of something else that it found.
    bool has_own_order = false;
    /// What would be the records if every filter of their path held. Empty when it has no filter.
    std::vector<Span> candidates;
    /// Of each value path its first match.
    std::vector<std::optional<Value>> values;
};

/// Finds the records of a document, and single values of it, in one walk over its index: nothing is copied but the values. One thread.
class PageScanner {
public:
    /// Reads one document of `size` bytes, with limits::json_padding readable bytes behind it. `records`: a list found there gives its elements, null
    /// nothing, anything else is one record. What the records hold inside is not checked. Filters read what they compare, and no more. Throws Error(data) with the byte offset of what is wrong.
    PageScan scan(const char* text, std::size_t size, const Path& records, const std::vector<Path>& values);

    /// The first match of each path in one record that the last `scan` has found; its text is still there.
    std::vector<std::optional<Value>> values_of(const Span& record, const std::vector<Path>& paths) const;

private:
    pull::Index index_;
};

/// The document with every list cut to its first element, and lists and objects more than `depth_max` levels down left out as null: what it is made
/// of, at little cost. Throws Error(data).
Value read_outline(const char* text, std::size_t size, int depth_max);

}  // namespace tipple::json
