#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/json/path.h"
#include "tipple/json/value.h"

namespace tipple::json {

/// A regular expression. Values share it; any thread.
class Pattern {
public:
    /// Throws Error(usage).
    explicit Pattern(const std::string& expression);
    /// Whether it is somewhere in the text.
    bool is_in(std::string_view text) const;

private:
    struct Compiled;
    std::shared_ptr<const Compiled> compiled_;
};

/// What a path demands of an element: `@.size > 3 && (@.state == "open" || !@.closed)`.
struct PathFilter {
    enum class Kind { all, any, none, exists, compare, pattern };
    enum class Operator { equal, not_equal, less, less_equal, greater, greater_equal };
    /// What a path finds in the element.
    using Find = std::function<std::vector<Value>(const Path&)>;

    Kind kind = Kind::all;
    /// Of all, any and none.
    std::vector<PathFilter> parts = {};
    Path path = {};
    Operator op = Operator::equal;
    /// What values at `path` are compared with: this, or values at the other path.
    Value value = {};
    std::optional<Path> other = {};
    std::optional<Pattern> pattern = {};
    /// As it was written, of a whole filter.
    std::string text = {};

    /// The filter at `at` in `path`, behind the question mark; moves `at` behind it. `depth`: of how much it lies inside. Throws Error(usage).
    static PathFilter parse(std::string_view path, std::size_t& at, int depth);
    bool holds(const Find& find) const;
};

/// Numbers and texts have an order, each among themselves; other values are equal or not.
bool meets(PathFilter::Operator op, const Value& left, const Value& right);

}  // namespace tipple::json
