#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/json/value.h"

/// Settings as a tree, each with the place where it was written.
namespace tipple::config {

/// Where a setting was written, for messages.
struct Place {
    std::string source;    ///< a file as the user would name it, an environment variable, or a flag
    std::size_t line = 0;  ///< from 1; 0 = the source has no lines
    /// `tipple.toml:12`, or the name of the variable.
    std::string text() const;
};

/// One setting, or a table or list of them. Plain data.
struct Node {
    enum class Kind { table, list, text, integer, number, boolean, date, time, timestamp };

    Kind kind = Kind::table;
    Place place;
    /// Its value must not be shown.
    bool is_secret = false;
    /// Of a scalar. Dates and times are ISO text.
    json::Value value;
    /// Of a list.
    std::vector<Node> items;
    /// Of a table, in the order in which they were written.
    std::vector<std::pair<std::string, Node>> members;

    bool is_table() const { return kind == Kind::table; }
    bool is_list() const { return kind == Kind::list; }
    bool is_scalar() const { return !is_table() && !is_list(); }
    /// The member, or nullptr. Valid until the table changes.
    const Node* find(std::string_view name) const;
    Node* find(std::string_view name);
    /// The member, made an empty table at the end when it is not there.
    Node& operator[](std::string_view name);
    std::vector<std::string> names() const;
};

/// A text that was written there.
Node make_text(std::string text, Place place);

/// "a table", "a list", "text", … for messages.
const char* kind_name(Node::Kind kind);

/// Puts `over` on top: tables are merged, everything else is replaced. What is replaced is gone.
void overlay(Node& base, const Node& over);

/// The same value as JSON; secrets too.
json::Value to_json(const Node& node);

/// The same for people: secrets, and passwords in URLs, are masked.
json::Value to_masked_json(const Node& node);

/// `a.b."c.d"`: how a path of keys is written in a file.
std::string key_text(const std::vector<std::string>& path);
/// The keys of such a text. Throws Error(usage).
std::vector<std::string> parse_key(std::string_view text);

/// The setting a path of keys leads to, or nullptr.
const Node* find_path(const Node& root, const std::vector<std::string>& path);

}  // namespace tipple::config
