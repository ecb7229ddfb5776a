#include "tipple/config/table_reader.h"

#include <algorithm>
#include <charconv>

#include "tipple/config/secret.h"
#include "tipple/core/error.h"
#include "tipple/core/names.h"
#include "tipple/core/text.h"

namespace tipple::config {

namespace {

std::string shown(const Node& node) { return node.is_secret ? secret_mask : excerpt(scalar_text(node)); }

std::optional<bool> to_boolean(const Node& node) {
    if (node.kind == Node::Kind::boolean) return node.value.as_bool();
    const std::string text = scalar_text(node);
    for (const char* yes : {"true", "yes", "on", "1"}) {
        if (text == yes) return true;
    }
    for (const char* no : {"false", "no", "off", "0"}) {
        if (text == no) return false;
    }
    return std::nullopt;
}

std::optional<std::int64_t> to_integer(const Node& node) {
    if (node.kind == Node::Kind::integer) return node.value.as_int();
    const std::string text = scalar_text(node);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (node.kind != Node::Kind::text || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

std::string scalar_text(const Node& node) { return node.value.is_text() ? node.value.as_text() : json::to_text(node.value); }

TableReader::TableReader(const Node& table, std::string what, Problems& problems) : table_(table), what_(std::move(what)), problems_(problems) {
    if (!table.is_table()) problems.add(table.place, fmt::format("{} must be a table, not {}", what_, kind_name(table.kind)));
}

const Node* TableReader::find(std::string_view name) {
    known_.emplace(name);
    return table_.find(name);
}

std::optional<std::string> TableReader::text(std::string_view name) {
    const Node* node = find(name);
    if (node == nullptr) return std::nullopt;
    if (node->kind == Node::Kind::text) return node->value.as_text();
    refuse_form(*node, name, "text");
    return std::nullopt;
}

std::optional<std::vector<std::string>> TableReader::texts(std::string_view name) {
    const Node* node = find(name);
    if (node == nullptr) return std::nullopt;
    if (node->kind == Node::Kind::text) return std::vector<std::string>{node->value.as_text()};
    std::vector<std::string> list;
    for (const Node& item : node->items) {
        if (item.kind == Node::Kind::text) list.push_back(item.value.as_text());
    }
    if (node->is_list() && list.size() == node->items.size()) return list;
    refuse_form(*node, name, "text, or a list of texts");
    return std::nullopt;
}

std::optional<bool> TableReader::boolean(std::string_view name) {
    const Node* node = find(name);
    if (node == nullptr) return std::nullopt;
    const std::optional<bool> value = to_boolean(*node);
    if (!value) refuse_form(*node, name, "true or false");
    return value;
}

std::optional<std::int64_t> TableReader::integer(std::string_view name, std::int64_t least) {
    const Node* node = find(name);
    if (node == nullptr) return std::nullopt;
    const std::optional<std::int64_t> value = to_integer(*node);
    if (value && *value >= least) return value;
    refuse_form(*node, name, fmt::format("a whole number from {} on", least));
    return std::nullopt;
}

std::optional<std::uint64_t> TableReader::size(std::string_view name) {
    const Node* node = find(name);
    if (node == nullptr) return std::nullopt;
    const std::optional<std::uint64_t> value = parse_size(scalar_text(*node));
    if (!value) refuse_form(*node, name, "a size such as 512MiB");
    return value;
}

void TableReader::refuse_others() {
    const std::vector<std::string> known(known_.begin(), known_.end());
    for (const auto& [name, member] : table_.members) {
        if (known_.contains(name)) continue;
        problems_.add(member.place, fmt::format("{} has no key \"{}\"; {}", what_, excerpt(name),
                                                suggestion(name, known)));
    }
}

void TableReader::problem(std::string_view name, const std::string& text) {
    const Node* node = table_.find(name);
    problems_.add(node != nullptr ? node->place : table_.place, fmt::format("{}: {}", what_, text));
}

void TableReader::refuse_form(const Node& node, std::string_view name, std::string_view wanted) {
    const std::string got = node.is_scalar() ? "\"" + shown(node) + "\"" : kind_name(node.kind);
    problems_.add(node.place, fmt::format("{}: \"{}\" must be {}, not {}", what_, name, wanted, got));
}

void TableReader::refuse_choice(std::string_view name, const std::string& chosen, const std::vector<std::string>& known) {
    problem(name, fmt::format("\"{}\" cannot be \"{}\"; {}", name, excerpt(chosen),
                              suggestion(chosen, known)));
}

}  // namespace tipple::config
