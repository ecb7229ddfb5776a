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

void explain(Program& program, const std::vector<std::string>& path) {
    const std::string key = config::key_text(path);
    const project::ProjectOptions all = program.project_options();
    std::vector<Layer> layers = {{"", all}, {"", all}, {"", all}, {"", all}};
    layers[1].options.assignments.clear();
    layers[2].options.assignments.clear();
    layers[2].options.environment.clear();
    layers[3].options = layers[2].options;
    layers[3].options.profile.clear();
    std::string last;
    bool is_found = false;
    for (const Layer& layer : layers) {
        std::optional<project::Project> project = project::Project::find(*program.files, layer.options);
        config::Node document = project->document();
        mark_secrets(document, "");
        const config::Node* node = config::find_path(document, path);
        if (node == nullptr || node->place.text() == last) continue;
        last = node->place.text();
        fmt::print("{}{} = {}    from {}\n", is_found ? "  hides " : "", key, shown(*node), last);
        is_found = true;
    }
    if (!is_found) fmt::print("{} is not set\n", key);
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
    print_rows(table, program.global.is_json ? RowsFormat::json : RowsFormat::table, program.terminal);
    return exit_done;
}

}  // namespace tipple::cli
