#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/json/path.h"
#include "tipple/schema/value.h"

namespace tipple::extract {

/// What records must meet, as a user writes it: `status == "open" and (total > 3 or not is_paid == true)`. A field is a name or a path; it is compared with a
/// number, a text in double quotes, true, false or null. `not` binds closest, then `and`, then `or`. A value; any thread.
class Condition {
public:
    enum class Operator { equal, not_equal, less, less_equal, greater, greater_equal };
    struct Comparison {
        json::Path path;
        /// The name that the path is, when it is one.
        std::optional<std::string> name;
        Operator op = Operator::equal;
        schema::Value value;
        /// Numbers, texts and times have an order, each among themselves; other values are equal or not. A field that is not there is null. A text is read as a date
        /// or time where the field is one.
        bool holds(const schema::Value& field) const;
    };
    /// Throws Error(usage) that says at which character something is wrong; `what` is how the user calls the text. `dialect`: of the paths.
    static Condition parse(std::string_view text, std::string_view what, json::Path::Dialect dialect = json::Path::Dialect::plain);

    /// As it was written.
    const std::string& text() const { return text_; }
    /// In the order in which they were written.
    const std::vector<Comparison>& comparisons() const { return comparisons_; }
    /// `value_of(i)` is the record's value for `comparisons()[i]`, null when it has none; it is called only for those that matter.
    bool holds(const std::function<schema::Value(std::size_t)>& value_of) const { return holds(root_, value_of); }

private:
    friend class ConditionParser;
    struct Node {
        enum class Kind { comparison, all, any, none };
        Kind kind = Kind::comparison;
        std::size_t comparison = 0;
        std::vector<Node> parts = {};
    };
    bool holds(const Node& node, const std::function<schema::Value(std::size_t)>& value_of) const;

    std::string text_;
    std::vector<Comparison> comparisons_;
    Node root_;
};

}  // namespace tipple::extract
