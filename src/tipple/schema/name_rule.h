#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tipple::schema {

/// A rule for names as schema documents have it: an exact name, or `re:` and a regular expression that is searched for. Immutable; used by
/// many threads at once.
class NameRule {
public:
    /// `text`: the rule. Throws Error(usage) when it is no regular expression.
    explicit NameRule(const std::string& text);

    /// Whether `name` is the exact name, or the expression is found in it. Names of more than 1,024 bytes match exact rules only.
    bool matches(std::string_view name) const;

private:
    struct Pattern;
    std::string exact_;
    std::shared_ptr<const Pattern> pattern_;
};

}  // namespace tipple::schema
