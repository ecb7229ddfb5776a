#include "tipple/config/toml.h"

#include <algorithm>
#include <sstream>
#include <toml++/toml.h>

#include "tipple/core/error.h"

namespace tipple::config {

namespace {

template <typename T>
std::string iso_text(const T& value) {
    std::ostringstream text;
    text << value;
    return text.str();
}

Node convert(const toml::node& from, const std::string& name);

Node convert_table(const toml::table& table, const std::string& name) {
    Node node;
    std::vector<std::pair<toml::source_position, std::pair<std::string, Node>>> members;
    for (const auto& [key, value] : table) {
        members.emplace_back(key.source().begin, std::pair(std::string(key.str()), convert(value, name)));
    }
    // The library sorts by name; whoever wrote the file had an order in mind.
    std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [position, member] : members) node.members.push_back(std::move(member));
    return node;
}

Node convert_scalar(const toml::node& from) {
    Node node;
    if (const auto* text = from.as_string()) {
        node.kind = Node::Kind::text;
        node.value = text->get();
    } else if (const auto* integer = from.as_integer()) {
        node.kind = Node::Kind::integer;
        node.value = integer->get();
    } else if (const auto* number = from.as_floating_point()) {
        node.kind = Node::Kind::number;
        node.value = number->get();
    } else if (const auto* boolean = from.as_boolean()) {
        node.kind = Node::Kind::boolean;
        node.value = boolean->get();
    } else if (const auto* date = from.as_date()) {
        node.kind = Node::Kind::date;
        node.value = iso_text(date->get());
    } else if (const auto* time = from.as_time()) {
        node.kind = Node::Kind::time;
        node.value = iso_text(time->get());
    } else {
        node.kind = Node::Kind::timestamp;
        node.value = iso_text(from.as_date_time()->get());
    }
    return node;
}

Node convert(const toml::node& from, const std::string& name) {
    Node node;
    if (const toml::table* table = from.as_table()) {
        node = convert_table(*table, name);
    } else if (const toml::array* array = from.as_array()) {
        node.kind = Node::Kind::list;
        for (const toml::node& item : *array) node.items.push_back(convert(item, name));
    } else {
        node = convert_scalar(from);
    }
    node.place = {.source = name, .line = from.source().begin.line};
    return node;
}

Node from_json(const json::Value& value, const Place& place) {
    Node node{.place = place};
    if (value.is_object()) {
        for (const json::Member& member : value.as_object()) node.members.emplace_back(member.name, from_json(member.value, place));
        return node;
    }
    node.value = value;
    if (value.is_array()) {
        node.kind = Node::Kind::list;
        node.value = {};
        for (const json::Value& item : value.as_array()) node.items.push_back(from_json(item, place));
    } else if (value.is_bool()) {
        node.kind = Node::Kind::boolean;
    } else if (value.is_int()) {
        node.kind = Node::Kind::integer;
    } else if (value.is_number()) {
        node.kind = Node::Kind::number;
    } else {
        node.kind = Node::Kind::text;
        if (!value.is_text()) node.value = std::string();
    }
    return node;
}

void set_place(Node& node, const Place& place) {
    node.place = place;
    for (Node& item : node.items) set_place(item, place);
    for (auto& [name, member] : node.members) set_place(member, place);
}

}  // namespace

Node parse_toml(std::string_view text, const std::string& name) {
    try {
        return convert(toml::parse(text), name);
    } catch (const toml::parse_error& error) {
        const toml::source_position at = error.source().begin;
        throw Error(ErrorKind::usage, "{}:{}:{}: this is not TOML: {}", name, at.line, at.column, error.description());
    }
}

Node parse_setting(const std::string& text, Place place) {
    if (text.starts_with('{') || text.starts_with('[')) {
        json::Value value;
        if (json::try_parse(text, value)) return from_json(value, place);
        Node node = *parse_toml("value = " + text, place.source).find("value");
        set_place(node, place);
        return node;
    }
    return make_text(text, std::move(place));
}

}  // namespace tipple::config
