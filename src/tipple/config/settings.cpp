#include "tipple/config/settings.h"

#include <algorithm>
#include <cctype>
#include <tuple>

#include "tipple/config/toml.h"
#include "tipple/core/error.h"
#include "tipple/core/names.h"
#include "tipple/core/text.h"

namespace tipple::config {

namespace {

constexpr std::string_view prefix = "TIPPLE_";

std::string variable_part(std::string_view key) {
    std::string part;
    for (const char c : key) part += std::isalnum(static_cast<unsigned char>(c)) != 0 ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : '_';
    return part;
}

std::vector<std::string> split_variable(std::string_view name) {
    std::vector<std::string> parts;
    for (std::size_t at = prefix.size(); at <= name.size();) {
        const std::size_t end = std::min(name.find("__", at), name.size());
        parts.emplace_back(name.substr(at, end - at));
        at = end + 2;
    }
    return parts;
}

/// The member that the part of a variable's name means, or a new one.
Node& member_of(Node& table, const std::string& part) {
    if (!table.is_table()) table = Node{.place = table.place};
    for (auto& [name, member] : table.members) {
        if (variable_part(name) == part) return member;
    }
    return table[lower(part)];
}

}  // namespace

std::string variable_of(const std::vector<std::string>& path) {
    std::string name(prefix);
    for (std::size_t i = 0; i < path.size(); ++i) name += (i > 0 ? "__" : "") + variable_part(path[i]);
    return name;
}

void overlay_environment(Node& base, const Environment& environment, const std::vector<std::string>& roots) {
    for (auto at = environment.lower_bound(prefix); at != environment.end() && at->first.starts_with(prefix); ++at) {
        const std::vector<std::string> parts = split_variable(at->first);
        const bool is_setting = parts.size() > 1 && std::any_of(roots.begin(), roots.end(), [&](const std::string& root) { return variable_part(root) == parts[0]; }) &&
                                std::find(parts.begin(), parts.end(), "") == parts.end();
        if (!is_setting) continue;
        Node* node = &base;
        for (const std::string& part : parts) node = &member_of(*node, part);
        *node = parse_setting(at->second, {.source = at->first});
    }
}

void overlay_assignment(Node& base, std::string_view assignment, std::string_view flag) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string_view::npos) throw Error(ErrorKind::usage, "{} \"{}\" has no value; write {} KEY=VALUE", flag, excerpt(assignment), flag);
    Node* node = &base;
    for (const std::string& key : parse_key(assignment.substr(0, equals))) {
        if (!node->is_table()) *node = Node{.place = node->place};
        node = &(*node)[key];
    }
    *node = parse_setting(std::string(assignment.substr(equals + 1)), {.source = fmt::format("{} {}", flag, assignment.substr(0, equals))});
}

void apply_profile(Node& base, const std::string& profile) {
    const Node* profiles = base.find("profile");
    const Node* chosen = profiles != nullptr ? profiles->find(profile) : nullptr;
    if (!profile.empty() && chosen == nullptr) {
        const std::vector<std::string> known = profiles != nullptr ? profiles->names() : std::vector<std::string>();
        throw Error(ErrorKind::usage, "there is no profile \"{}\"{}", profile,
                    known.empty() ? fmt::format("; a profile is a table [profile.{}] of tipple.toml, whose settings go on top of the others", profile)
                                  : "; " + suggestion(profile, known));
    }
    const Node over = chosen != nullptr ? *chosen : Node();
    std::erase_if(base.members, [](const auto& member) { return member.first == "profile"; });
    overlay(base, over);
}

void Problems::add(const Place& place, const std::string& text) { add({.place = place, .text = fmt::format("{}: {}", place.text(), text)}); }

void Problems::add(std::string text) { add({.place = {}, .text = std::move(text)}); }

void Problems::add(Problem problem) {
    // What two sides use, such as a connection, is looked at twice.
    const bool is_known = std::any_of(problems_.begin(), problems_.end(), [&](const Problem& known) { return known.text == problem.text; });
    if (!is_known) problems_.push_back(std::move(problem));
}

void Problems::throw_if_any() const {
    if (problems_.empty()) return;
    if (problems_.size() == 1) throw Error(ErrorKind::usage, "{}", problems_.front().text);
    std::vector<Problem> ordered = problems_;
    std::stable_sort(ordered.begin(), ordered.end(),
                     [](const Problem& a, const Problem& b) { return std::tie(a.place.source, a.place.line) < std::tie(b.place.source, b.place.line); });
    std::string text = fmt::format("{} settings are missing or wrong:", ordered.size());
    for (const Problem& problem : ordered) text += "\n  " + problem.text;
    throw Error(ErrorKind::usage, "{}", text);
}

}  // namespace tipple::config
