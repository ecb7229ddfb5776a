#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/json/value.h"

namespace tipple::json {

struct PathFilter;

/// A place, or several, inside a document: JSONPath as the reference writes it.
/// `$`, `a.b`, `$.a.b`, `a[0]`, `a[*].b`, `*`, `'quoted key'`, `['@odata.nextLink']`; in the full dialect also `a[-1]`, `a[1:3]`, `a['b','c']`, `a[0,2]`,
/// `a..b` (at any depth), `a[?(@.b > 1 && @.c == "x")]`, `a.b|c` (`a.b`, then `a.c`), and `a.b|$.c` (two whole paths).
class Path {
public:
    /// The elements from `begin` up to before `end`, each `step`th; bounds below zero count from the list's end.
    struct Slice {
        std::optional<std::int64_t> begin = {};
        std::optional<std::int64_t> end = {};
        std::int64_t step = 1;
        bool operator==(const Slice&) const = default;
    };
    struct Step {
        /// last: `index` counts from the end, where 1 is the last one. choice: what one of `choices` takes, in their order.
        enum class Kind { key, index, last, wildcard, slice, choice, filter };
        Kind kind = Kind::key;
        std::string key = {};
        std::size_t index = 0;
        Slice slice = {};
        std::vector<Step> choices = {};
        std::shared_ptr<const PathFilter> filter = {};
        /// Any number of levels may lie before it.
        bool is_descent = false;
        bool operator==(const Step&) const = default;

        /// Whether it leads to the member of that name: the number of the choice that does, 0 where there are none. What a filter thinks of it is another
        /// question.
        std::optional<std::size_t> takes_member(std::string_view name) const;
        /// The same of an element of a list of `count` elements, which counts only if `needs_count`.
        std::optional<std::size_t> takes_element(std::size_t at, std::size_t count) const;
        bool needs_count() const;
    };

    /// How much of JSONPath may stand in a path.
    enum class Dialect {
        plain,  ///< names, indexes and `*`: for what is read piece by piece, or has one value
        full,
    };

    Path() = default;
    /// `filter_depth`: of how many filters it lies inside, which has a limit. Throws Error(usage) that points at the bad character.
    static Path parse(std::string_view text, Dialect dialect = Dialect::plain, int filter_depth = 0);

    /// One name after another.
    static Path of_keys(const std::vector<std::string>& keys);

    /// As `parse` reads it.
    std::string text() const;
    /// Of the first alternative.
    const std::vector<Step>& steps() const { return steps_; }
    /// What stands behind each `|$`.
    const std::vector<Path>& alternatives() const { return alternatives_; }
    /// The whole document.
    bool is_root() const { return steps_.empty() && alternatives_.empty(); }
    /// Whether matches may have another order than they have in the document: choices and alternatives one after the other; at any depth, what an object or
    /// list holds itself before what lies deeper.
    bool has_own_order() const;
    /// Whether a step of it leaves out what a filter does not take.
    bool has_filter() const;

    /// All matches, each once. Valid as long as `document`.
    std::vector<const Value*> find_all(const Value& document) const;

private:
    std::vector<Step> steps_;
    std::vector<Path> alternatives_;
};

}  // namespace tipple::json
