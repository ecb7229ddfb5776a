#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/json/value.h"

namespace tipple::json {

/// A place, or several, inside a document: the part of JSONPath (RFC 9535) without filters, slices and descent.
/// `$`, `a.b`, `$.a.b`, `a[0]`, `a[*].b`, `*`, `'quoted key'`, `['@odata.nextLink']`, and where it is allowed `a[-1]`, the last element.
class Path {
public:
    struct Step {
        enum class Kind { key, index, last, wildcard };
        Kind kind = Kind::key;
        std::string key;
        std::size_t index = 0;
        bool operator==(const Step&) const = default;
    };

    /// Whether `[-1]` may stand in a path. Not where what comes is not kept until its end.
    enum class FromEnd { refused, allowed };

    Path() = default;
    /// Throws Error(usage) that points at the bad character.
    static Path parse(std::string_view text, FromEnd from_end = FromEnd::refused);

    /// One name after another.
    static Path of_keys(const std::vector<std::string>& keys);

    /// As `parse` reads it.
    std::string text() const;
    const std::vector<Step>& steps() const { return steps_; }
    /// The whole document.
    bool is_root() const { return steps_.empty(); }

    /// All matches in document order. Valid as long as `document`.
    std::vector<const Value*> find_all(const Value& document) const;

private:
    std::vector<Step> steps_;
};

}  // namespace tipple::json
