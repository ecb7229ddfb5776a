#include "cli/help_of_arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/help_text.h"

namespace tipple::cli {

namespace {

/// What each command is for, in the order of the list of commands.
const std::vector<std::pair<const char*, std::vector<const char*>>> command_groups = {
    {"load", {"load", "run"}},
    {"set up", {"init", "import", "check", "plan", "config", "connections", "completion"}},
    {"look", {"list", "show", "runs", "trace", "jobs", "preview", "query", "schema"}},
    {"mend", {"packages", "quarantine", "undo", "verify", "state", "drop", "sync"}},
    {"other", {"pipeline", "version", "help"}},
};

/// Every line of a text, wrapped; an empty one stays.
std::string paragraphs(std::string_view text, std::size_t width) {
    std::string out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        out += wrapped(text.substr(0, end), width);
        text.remove_prefix(std::min(text.size(), end + 1));
    }
    return out;
}

/// `-o, --output FORMAT`, with the other name of a flag that can be denied.
std::string names_of(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.get_snames()) names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
    const std::string value = option.get_option_text();
    return fmt::format("{}{}{}", fmt::join(names, ", "), value.empty() ? "" : " ", value);
}

std::string explanation_of(const CLI::Option& option) {
    std::string text = option.get_description();
    for (const CLI::Option* needed : option.get_needs()) text += fmt::format("; goes with {}", needed->get_name());
    if (!option.get_envname().empty()) text += fmt::format(" ({})", option.get_envname());
    return text;
}

/// The first line of a description is for the list of commands.
std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

class HelpFormatter final : public CLI::Formatter {
public:
    explicit HelpFormatter(std::size_t width) : width_(width) {}

    std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode) const override {
        const bool is_root = app->get_parent() == nullptr;
        const std::string description = app->get_description();
        std::string out = wrapped(first_line(description), width_) + "\n";
        out += is_root ? fmt::format("Usage: {} COMMAND [ARGUMENTS] [OPTIONS]\n", name) : wrapped("Usage: " + usage(*app, name), width_);
        const std::size_t end = description.find('\n');
        if (end != std::string::npos) out += paragraphs(std::string_view(description).substr(end + 1), width_);
        if (is_root) return out + options(*app) + commands(*app) + "\n" + paragraphs(app->get_footer(), width_);
        out += arguments(*app) + options(*app);
        if (const std::string footer = own_footer(*app); !footer.empty()) out += "\n" + paragraphs(footer, width_);
        return out + "\n" + common(*app->get_parent());
    }

private:
    static constexpr std::size_t names_width = 26;

    /// `program` ends with the command.
    static std::string usage(const CLI::App& app, const std::string& program) {
        std::string text = program;
        for (const CLI::Option* option : app.get_options([](const CLI::Option* o) { return o->get_positional(); })) {
            const std::string name = option->get_name(true, false);
            const bool is_complete = name.find_first_of(" [") != std::string::npos;
            const char* more = option->get_expected_max() > 1 && !is_complete ? "..." : "";
            text += option->get_required() ? fmt::format(" {}{}", name, more) : fmt::format(" [{}{}]", name, more);
        }
        return text + " [OPTIONS]";
    }

    std::string row(const std::string& name, const std::string& text) const {
        if (name.size() <= names_width) return wrapped(fmt::format("  {:<{}}  {}", name, names_width, text), width_);
        return fmt::format("  {}\n{}", name, wrapped(fmt::format("{:{}}{}", "", names_width + 4, text), width_));
    }

    std::string arguments(const CLI::App& app) const {
        std::string out;
        for (const CLI::Option* option : app.get_options([](const CLI::Option* o) { return o->get_positional(); })) {
            out += row(option->get_name(true, false), option->get_description());
        }
        return out.empty() ? out : "\nArguments:\n" + out;
    }

    std::string options(const CLI::App& app) const {
        std::string out;
        for (const std::string& group : app.get_groups()) {
            const auto in_group = app.get_options([&](const CLI::Option* o) { return o->nonpositional() && o->get_group() == group; });
            if (group.empty() || in_group.empty()) continue;
            out += fmt::format("\n{}:\n", group);
            for (const CLI::Option* option : in_group) out += row(names_of(*option), explanation_of(*option));
        }
        return out;
    }

    std::string commands(const CLI::App& app) const {
        std::string out = "\nCommands:\n";
        for (const auto& [group, names] : command_groups) {
            out += fmt::format(" {}\n", group);
            for (const char* name : names) out += wrapped(fmt::format("  {:<12}  {}", name, first_line(app.get_subcommand(name)->get_description())), width_);
        }
        return out;
    }

    /// Commands without a footer of their own show that of the program otherwise.
    static std::string own_footer(const CLI::App& app) { return app.get_footer() == app.get_parent()->get_footer() ? std::string() : app.get_footer(); }

    std::string common(const CLI::App& root) const {
        std::vector<std::string> names;
        for (const CLI::Option* option : root.get_options([](const CLI::Option* o) { return o->get_group() == "Common"; })) {
            names.push_back(option->get_lnames().empty() ? "-" + option->get_snames().front() : "--" + option->get_lnames().front());
        }
        return wrapped(fmt::format("Of every command, see tipple --help: {}", fmt::join(names, ", ")), width_);
    }

    std::size_t width_;
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> make_help_formatter(std::size_t width) { return std::make_shared<HelpFormatter>(width); }

}  // namespace tipple::cli
