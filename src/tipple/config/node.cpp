#include "tipple/config/node.h"

#include <algorithm>

#include "tipple/config/secret.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::config {

std::string Place::text() const { return line == 0 ? source : fmt::format("{}:{}", source, line); }

const Node* Node::find(std::string_view name) const {
    const auto found = std::find_if(members.begin(), members.end(), [&](const auto& member) { return member.first == name; });
    return found == members.end() ? nullptr : &found->second;
}

Node* Node::find(std::string_view name) { return const_cast<Node*>(std::as_const(*this).find(name)); }

Node& Node::operator[](std::string_view name) {
    if (Node* known = find(name)) return *known;
    members.emplace_back(std::string(name), Node{.place = place});
    return members.back().second;
}

std::vector<std::string> Node::names() const {
    std::vector<std::string> list;
    for (const auto& [name, member] : members) list.push_back(name);
    return list;
}

Node make_text(std::string text, Place place) {
    Node node{.kind = Node::Kind::text, .place = std::move(place)};
    node.value = std::move(text);
    return node;
}

const char* kind_name(Node::Kind kind) {
    switch (kind) {
        case Node::Kind::table:
            return "a table";
        case Node::Kind::list:
            return "a list";
        case Node::Kind::text:
            return "text";
        case Node::Kind::integer:
            return "a whole number";
        case Node::Kind::number:
            return "a number";
        case Node::Kind::boolean:
            return "true or false";
        case Node::Kind::date:
            return "a date";
        case Node::Kind::time:
            return "a time";
        case Node::Kind::timestamp:
            return "a date and time";
    }
    return "";
}

void overlay(Node& base, const Node& over) {
    if (!base.is_table() || !over.is_table()) {
        base = over;
        return;
    }
    for (const auto& [name, member] : over.members) {
        if (Node* known = base.find(name)) {
            overlay(*known, member);
        } else {
            base.members.emplace_back(name, member);
        }
    }
}

namespace {

enum class Secrets { shown, masked };

json::Value convert(const Node& node, Secrets secrets) {
    if (node.is_table()) {
        json::Object object;
        for (const auto& [name, member] : node.members) object.set(name, convert(member, secrets));
        return object;
    }
    if (node.is_list()) {
        json::Array array;
        for (const Node& item : node.items) array.push_back(convert(item, secrets));
        return array;
    }
    if (secrets == Secrets::masked) {
        if (node.is_secret) return secret_mask;
        if (node.kind == Node::Kind::text) return mask_url(node.value.as_text());
    }
    return node.value;
}

bool is_bare(std::string_view key) {
    return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

}  // namespace

json::Value to_json(const Node& node) { return convert(node, Secrets::shown); }
json::Value to_masked_json(const Node& node) { return convert(node, Secrets::masked); }

std::string key_text(const std::vector<std::string>& path) {
    std::string text;
    for (const std::string& key : path) {
        if (!text.empty()) text += '.';
        text += is_bare(key) ? key : json::quoted(key);
    }
    return text;
}

std::vector<std::string> parse_key(std::string_view text) {
    const auto fail = [&] { throw Error(ErrorKind::usage, "\"{}\" is no key; keys are written as pipeline.shop.dataset or pipeline.shop.resources.\"a.b\".table", excerpt(text)); };
    std::vector<std::string> path;
    for (std::size_t at = 0; at <= text.size();) {
        std::size_t end = 0;
        if (at < text.size() && text[at] == '"') {
            const std::size_t quote = text.find('"', at + 1);
            if (quote == std::string_view::npos) fail();
            path.emplace_back(text.substr(at + 1, quote - at - 1));
            end = quote + 1;
            if (end < text.size() && text[end] != '.') fail();
        } else {
            end = std::min(text.find('.', at), text.size());
            path.emplace_back(text.substr(at, end - at));
        }
        if (path.back().empty()) fail();
        at = end + 1;
    }
    return path;
}

const Node* find_path(const Node& root, const std::vector<std::string>& path) {
    const Node* node = &root;
    for (const std::string& key : path) {
        node = node->find(key);
        if (node == nullptr) return nullptr;
    }
    return node;
}

std::string mask_url(const std::string& text) {
    const std::size_t scheme = text.find("://");
    if (scheme == std::string::npos) return text;
    const std::size_t start = scheme + 3;
    const std::size_t host = std::min(text.find('/', start), text.size());
    // A password may hold an @ that was not escaped: the last one ends it.
    const std::size_t at = text.rfind('@', host);
    if (at == std::string::npos || at < start) return text;
    const std::size_t colon = text.find(':', start);
    if (colon == std::string::npos || colon > at) return text;
    return text.substr(0, colon + 1) + secret_mask + text.substr(at);
}

}  // namespace tipple::config
