#include "tipple/schema/name_rule.h"

// GCC 12 warns inside of <regex> when it instruments for a sanitizer (its bug 105562).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <regex>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::schema {

namespace {

constexpr std::string_view regex_prefix = "re:";

/// Longer names are matched by exact rules only: std::regex recurses once per character, and a name
/// may be as long as a record allows.
constexpr std::size_t regex_subject_max = 1'024;

}  // namespace

struct NameRule::Pattern {
    std::regex regex;
};

NameRule::NameRule(const std::string& text) {
    if (!text.starts_with(regex_prefix)) {
        exact_ = text;
        return;
    }
    try {
        pattern_ = std::make_shared<const Pattern>(Pattern{std::regex(text.substr(regex_prefix.size()), std::regex::ECMAScript | std::regex::optimize)});
    } catch (const std::regex_error& error) {
        throw Error(ErrorKind::usage, "the rule \"{}\" is no regular expression: {}", excerpt(text), error.what());
    }
}

bool NameRule::matches(std::string_view name) const {
    if (pattern_ == nullptr) return name == exact_;
    return name.size() <= regex_subject_max && std::regex_search(name.begin(), name.end(), pattern_->regex);
}

}  // namespace tipple::schema
