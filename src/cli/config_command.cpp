#include <fmt/format.h>

#include <cstdio>

#include "cli/exit_code.h"
#include "cli/program.h"
#include "cli/rows_printer.h"
#include "tipple/config/secret.h"
#include "tipple/config/settings.h"
#include "tipple/core/text.h"

namespace tipple::cli {

namespace {

/// A value as it may be shown. One that is a reference is shown as it was written.
std::string shown(const config::Node& node) {
    const json::Value value = config::to_masked_json(node);
    return node.kind == config::Node::Kind::text && value.is_text() ? json::quoted(value.as_text()) : json::to_text(value);
}

bool sounds_secret(const std::string& key) {
    for (const char* part : {"password", "secret", "token", "key_id", "private", "credential"}) {
        if (key.find(part) != std::string::npos) return true;
    }
    return false;
}

/// Values of keys that sound like a secret are not shown, even where somebody wrote them into the file.
void mark_secrets(config::Node& node, const std::string& key) {
    const bool is_reference = node.kind == config::Node::Kind::text && node.value.as_text().find("${") != std::string::npos;
    if (node.is_scalar() && sounds_secret(key) && !is_reference) node.is_secret = true;
    for (config::Node& item : node.items) mark_secrets(item, key);
    for (auto& [name, member] : node.members) mark_secrets(member, name);
}

/// The project without what comes from elsewhere, to see what that hides.
struct Layer {
    const char* what;
    project::ProjectOptions options;
};

/// A value of the setting, and where it was written.
struct Found {
    json::Value value;
    std::string text;
    std::string from;
};

std::vector<Found> in_project(Program& program, const std::vector<std::string>& path) {
    const project::ProjectOptions all = program.project_options();
    std::vector<Layer> layers = {{"", all}, {"", all}, {"", all}, {"", all}};
    layers[1].options.assignments.clear();
    layers[2].options.assignments.clear();
    layers[2].options.environment.clear();
    layers[3].options = layers[2].options;
    layers[3].options.profile.clear();
    std::vector<Found> list;
    for (const Layer& layer : layers) {
        std::optional<project::Project> project = project::Project::find(*program.files, layer.options);
        config::Node document = project->document();
        mark_secrets(document, "");
        const config::Node* node = config::find_path(document, path);
        if (node == nullptr || (!list.empty() && node->place.text() == list.back().from)) continue;
        list.push_back({.value = config::to_masked_json(*node), .text = shown(*node), .from = node->place.text()});
    }
    return list;
}

/// What a dlt project says of it, below all that is ours.
std::vector<Found> in_dlt(Program& program, const std::vector<std::string>& path) {
    std::vector<Found> list;
    for (const project::DltSetting& setting : require_project(program).dlt_settings(path, {program.sources, program.destinations})) {
        const std::string value = setting.is_secret || sounds_secret(path.back()) ? "***" : config::mask_url(setting.value);
        const std::string place = setting.place.text();
        std::string from = place == setting.key ? place : fmt::format("{} ({})", place, setting.key);
        if (!setting.pipeline.empty()) from += fmt::format(", for pipeline {} only", setting.pipeline);
        list.push_back({.value = value, .text = json::quoted(value), .from = std::move(from)});
    }
    return list;
}

void explain(Program& program, const std::vector<std::string>& path) {
    const std::string key = config::key_text(path);
    std::vector<Found> list = in_project(program, path);
    for (Found& found : in_dlt(program, path)) list.push_back(std::move(found));
    if (program.global.is_json) {
        json::Array values;
        for (const Found& found : list) values.emplace_back(json::Object{{"value", found.value}, {"from", found.from}});
        fmt::print("{}\n", json::to_text(json::Object{{"v", 1}, {"key", key}, {"values", std::move(values)}, {"variable", config::variable_of(path)}},
                                         {.spacing = json::Spacing::pretty}));
        return;
    }
    for (const Found& found : list) fmt::print("{}{} = {}    from {}\n", &found == &list.front() ? "" : "  hides ", key, found.text, found.from);
    if (list.empty()) fmt::print("{} is not set\n", key);
    fmt::print("  set it with {}, or --set {}=VALUE\n", config::variable_of(path), key);
}

}  // namespace

int run_config(Program& program, const ConfigArguments& arguments) {
    const project::Project& project = require_project(program);
    if (arguments.action == ConfigAction::explain) {
        explain(program, config::parse_key(arguments.key));
        return exit_done;
    }
    config::Node document = project.document();
    mark_secrets(document, "");
    fmt::print("{}\n", json::to_text(config::to_masked_json(document), {.spacing = json::Spacing::pretty}));
    return exit_done;
}

int run_connections(Program& program) {
    const project::Project& project = require_project(program);
    destination::QueryResult table{.columns = {{"connection", "VARCHAR"}, {"kind", "VARCHAR"}, {"where", "VARCHAR"}}, .rows = {}};
    for (const std::string& name : project.connections()) {
        config::Problems problems;
        const config::Node* uri = config::find_path(project.document(), {"connection", name, "uri"});
        const project::DestinationChoice choice = project.connection(name, program.destinations, problems);
        const bool is_text = uri != nullptr && uri->kind == config::Node::Kind::text;
        table.rows.push_back({name, choice.entry != nullptr ? choice.entry->name : "", is_text ? config::mask_url(uri->value.as_text()) : ""});
    }
    if (!program.global.is_json) {
        print_rows(table, RowsFormat::table, program.terminal);
        return exit_done;
    }
    json::Array connections;
    for (const auto& row : table.rows) connections.emplace_back(json::Object{{"connection", *row[0]}, {"kind", *row[1]}, {"where", *row[2]}});
    fmt::print("{}\n", json::to_text(json::Object{{"v", 1}, {"connections", std::move(connections)}}, {.spacing = json::Spacing::pretty}));
    return exit_done;
}

}  // namespace tipple::cli
