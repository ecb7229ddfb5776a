#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tipple/json/path.h"
#include "tipple/json/value.h"
#include "tipple/schema/value.h"

/// Texts and documents with placeholders, as requests are made of them.
namespace tipple::sources::rest {

/// What placeholders stand for in one request.
struct Scope {
    /// The cursor's, frozen for the run; null = there is none.
    schema::Value cursor_start = {};
    schema::Value cursor_end = {};
    std::int64_t run_start_us = 0;
    /// From 1.
    std::uint64_t page = 1;
    /// What stands in the parent's record under a path as it was written; null when nothing does.
    std::function<schema::Value(const std::string&)> parent = {};
};

/// `{root.path|filter|filter}` inside of a text. Braces that no root follows are themselves.
struct Placeholder {
    enum class Root { parent, cursor, run, page };
    struct Filter {
        enum class Kind { iso, date, epoch, epoch_ms, add, urlencode, raw, json };
        Kind kind = Kind::raw;
        std::string format = {};  ///< of date
        double number = 0;        ///< of add; seconds where times are added
    };
    std::string text;  ///< with its braces, for messages
    Root root = Root::parent;
    std::string path;
    std::vector<Filter> filters;

    /// Filters applied. Throws Error(data) for a value that a filter cannot take.
    schema::Value evaluate(const Scope& scope) const;
    bool is_raw() const;
};

/// A text that may hold placeholders.
class Template {
public:
    /// Throws Error(usage) for a placeholder that nothing can be put in place of.
    static Template parse(std::string_view text);

    /// The one placeholder that the whole text is, else nullptr.
    const Placeholder* single() const;
    bool uses(Placeholder::Root root) const;
    /// Paths into the parent's record, as they were written.
    void collect_parent_paths(std::vector<std::string>& paths) const;

    /// The text; nothing when one of the values is null.
    std::optional<std::string> text(const Scope& scope) const;
    /// The same for the path of a URL: each value is one segment of it. Throws Error(data) that names the placeholder that is null.
    std::string url_path(const Scope& scope) const;

private:
    std::vector<std::variant<std::string, Placeholder>> parts_;
};

/// A document whose texts may hold placeholders.
class ValueTemplate {
public:
    ValueTemplate() = default;
    /// Throws Error(usage).
    static ValueTemplate parse(const json::Value& value);

    bool uses(Placeholder::Root root) const;
    void collect_parent_paths(std::vector<std::string>& paths) const;
    /// A text that is one placeholder becomes its value, with its type. Members and elements that are null because of a placeholder are left out.
    /// Nothing when the value itself is.
    std::optional<json::Value> value(const Scope& scope) const;

private:
    json::Value constant_;
    std::optional<Template> text_;
    std::vector<std::pair<std::string, ValueTemplate>> members_;
    std::vector<ValueTemplate> elements_;
};

/// As it stands in a URL or header: `true`, `1.5`, ISO times with Z.
std::string to_request_text(const schema::Value& value);
/// As it stands in a JSON body: times and decimals are texts.
json::Value to_json_value(const schema::Value& value);
/// Lists and objects become schema::Json.
schema::Value from_json_value(const json::Value& value);

}  // namespace tipple::sources::rest
