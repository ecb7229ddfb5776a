#include "cli/help_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace tipple::cli {

namespace {

using config::OptionKind;
using config::OptionSpec;

constexpr std::size_t width_max = 120;
/// Narrower than this a second column begins in the next line.
constexpr std::size_t second_column_min = 24;
/// How far the second column is moved in there.
constexpr std::size_t moved_indent = 6;

/// Where the second column begins; npos when there is none.
std::size_t find_second_column(std::string_view line) {
    const std::size_t first = line.find_first_not_of(' ');
    if (first == std::string_view::npos) return first;
    const std::size_t gap = line.find("  ", first);
    return gap == std::string_view::npos ? gap : line.find_first_not_of(' ', gap);
}

/// What the text of an option must look like, where that is not plain.
std::string_view form_of(OptionKind kind) {
    switch (kind) {
        case OptionKind::integer:
            return "a whole number";
        case OptionKind::boolean:
            return "true or false";
        case OptionKind::size:
            return "a size, as 64MiB";
        case OptionKind::seconds:
            return "seconds";
        case OptionKind::path:
            return "a path";
        case OptionKind::secret:
            return "a secret";
        case OptionKind::text:
            break;
    }
    return {};
}

std::string options_text(const std::vector<OptionSpec>& options, std::size_t width) {
    std::size_t names = 16;
    for (const OptionSpec& option : options) names = std::max(names, option.name.size());
    std::string out;
    for (const OptionSpec& option : options) {
        std::string line = fmt::format("  {:<{}}  {}", option.name, names, option.summary);
        if (const std::string_view form = form_of(option.kind); !form.empty()) line += fmt::format(" ({})", form);
        if (option.is_required) line += " Required.";
        if (!option.default_value.empty()) line += fmt::format(" [{}]", option.default_value);
        out += wrapped(line, width);
    }
    return out;
}

/// Blocks, each with the options that may stand in it.
std::map<std::string, std::vector<std::string>> blocks_of(const std::vector<OptionSpec>& options) {
    std::map<std::string, std::vector<std::string>> blocks;
    for (const OptionSpec& option : options) {
        if (!option.block.empty()) blocks[option.block].push_back(option.name);
    }
    return blocks;
}

std::string blocks_text(const std::vector<OptionSpec>& options, std::size_t width) {
    std::string out;
    for (const auto& [block, names] : blocks_of(options)) out += wrapped(fmt::format("  In a project {} may stand in a table too: {} = {{ {} = VALUE, OPTION = VALUE }}", fmt::join(names, ", "), block, names.front()), width);
    return out;
}

std::string blocks_paragraph(const std::vector<OptionSpec>& options) {
    std::string out;
    for (const auto& [block, names] : blocks_of(options)) out += fmt::format("\n`{}` may stand in a table too: `{} = {{ {} = \"…\", … }}`.\n", fmt::join(names, "`, `"), block, names.front());
    return out;
}

/// Options of resources that the source has as well, and the others. What a source says holds for all of its resources.
struct Split {
    std::vector<std::string> as_source;
    std::vector<OptionSpec> own;
};

Split split_resource_options(const extract::SourceEntry& entry) {
    Split split;
    for (const OptionSpec& option : entry.resource_options) {
        const bool is_same = std::any_of(entry.options.begin(), entry.options.end(),
                                         [&](const OptionSpec& other) { return other.name == option.name && other.summary == option.summary; });
        if (is_same) {
            split.as_source.push_back(option.name);
        } else {
            split.own.push_back(option);
        }
    }
    return split;
}

template <typename List>
std::string urls_text(const List& schemes) {
    std::vector<std::string> urls;
    for (const std::string& scheme : schemes) urls.push_back(scheme + "://");
    return fmt::format("{}", fmt::join(urls, ", "));
}

/// What a place of such a kind looks like; empty when it is known by its name alone.
template <typename Entry>
std::string places_text(const Entry& entry) {
    std::string text;
    if (!entry.schemes.empty()) text += "URLs " + urls_text(entry.schemes);
    if (entry.endings == std::vector<std::string>{"/"}) return text + fmt::format("{}paths that end with /", text.empty() ? "" : "; ");
    if (!entry.endings.empty()) text += fmt::format("{}files {}", text.empty() ? "" : "; ", fmt::join(entry.endings, ", "));
    return text;
}

/// A pipe would end a cell, and a pair of angle brackets be taken for HTML.
std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|' || c == '<' || c == '*' || c == '_') out += '\\';
        out += c;
    }
    return out;
}

std::string options_table(const std::vector<OptionSpec>& options) {
    std::string out = "| option | meaning | form | default |\n|---|---|---|---|\n";
    for (const OptionSpec& option : options) {
        const std::string_view form = form_of(option.kind);
        out += fmt::format("| `{}` | {}{} | {} | {} |\n", option.name, cell(option.summary), option.is_required ? " Required." : "", form.empty() ? "text" : form,
                           option.default_value.empty() ? "" : fmt::format("`{}`", option.default_value));
    }
    return out;
}

template <typename Entry>
std::string page_head(const Entry& entry) {
    std::string out = fmt::format("### {}\n\n{}\n\n", entry.name, cell(entry.summary));
    if (const std::string places = places_text(entry); !places.empty()) out += fmt::format("Known by: {}.\n\n", places);
    return out;
}

}  // namespace

std::size_t help_width(const Terminal& terminal) { return std::min(width_max, terminal.width); }

std::string wrapped(std::string_view line, std::size_t width) {
    if (display_width(line) <= width) return std::string(line) + "\n";
    const std::size_t second = find_second_column(line);
    std::string out;
    if (second == std::string_view::npos) {
        const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
        out.append(indent, ' ');
        out += wrap_words(line.substr(indent), {.used = indent, .indent = indent, .width = width});
    } else if (const std::size_t at = display_width(line.substr(0, second)); at + second_column_min <= width) {
        out += line.substr(0, second);
        out += wrap_words(line.substr(second), {.used = at, .indent = at, .width = width});
    } else {
        out += line.substr(0, line.find_last_not_of(' ', second - 1) + 1);
        out += '\n';
        out.append(moved_indent, ' ');
        out += wrap_words(line.substr(second), {.used = moved_indent, .indent = moved_indent, .width = width});
    }
    return out + "\n";
}

std::string help_of(const extract::SourceEntry& entry, std::size_t width) {
    std::string out = wrapped(fmt::format("source {}: {}", entry.name, entry.summary), width);
    if (const std::string places = places_text(entry); !places.empty()) out += wrapped("Known by: " + places, width);
    out += fmt::format("\nIn a project:       [pipeline.NAME]\n                    source = {{ type = \"{}\"{}, OPTION = VALUE }}\n", entry.name,
                       entry.folder_schemes.empty() ? "" : ", uri = \"FOLDER\"");
    const bool has_places = !entry.schemes.empty();
    // Resources that a user describes do not fit a command line.
    if (has_places || !entry.folder_schemes.empty() || entry.resource_options.empty()) {
        const std::string source = has_places ? "URL" : entry.folder_schemes.empty() ? entry.name : "PATH...";
        out += fmt::format("On a command line:  tipple load {} DEST --option OPTION=VALUE\n", source);
    }
    out += "\nOptions:\n" + options_text(entry.options, width) + blocks_text(entry.options, width);
    const Split split = split_resource_options(entry);
    if (entry.resource_options.empty()) return out;
    out += "\nOf each resource:\n" + options_text(split.own, width);
    if (!split.as_source.empty()) out += wrapped(fmt::format("  and, as above, in the place of the source's: {}", fmt::join(split.as_source, ", ")), width);
    return out;
}

std::string help_of(const destination::DestinationEntry& entry, std::size_t width) {
    std::string out = wrapped(fmt::format("destination {}: {}", entry.name, entry.summary), width);
    if (const std::string places = places_text(entry); !places.empty()) out += wrapped("Known by: " + places, width);
    return out + fmt::format("\nIn a project:  [connection.NAME]\n               type = \"{}\"{}\n               OPTION = VALUE\n\nOptions:\n{}{}", entry.name,
                             entry.schemes.empty() ? "" : "     (or uri = \"URL\")", options_text(entry.options, width), blocks_text(entry.options, width));
}

std::string reference_page(const extract::Registry& sources, const destination::Registry& destinations) {
    std::string out =
        "# Options of sources and destinations\n\n"
        "Written by `tipple help --reference` out of the same lists by which options are checked and `tipple help NAME` explains them. Options of a source stand in\n"
        "`source = { type = \"NAME\", … }` of a pipeline, those of its resources in `[pipeline.NAME.resources.RESOURCE]`, those of a destination in\n"
        "`[connection.NAME]`; see the [project file](../guide/project.md). On the command line they are given with `--option NAME=VALUE`.\n\n## Sources\n\n"
        "Resources of every source have the keys of the [project file](../guide/project.md#resources) too, `steps` among them: `[{ filter = \"status == \\\"open\\\"\" }, { explode = \"lines\" },\n"
        "{ keep = [...] }, { drop = [...] }, { rename = { a = \"b\" } }, { set = { origin = \"eu\" } }, { mask = [...] }]`. They are done first: `where`, then the `cursor`, then `limit` see what steps\n"
        "have left, by the names that it has then. What a source asks for itself comes before them: the `where` of a database, and the value at which its cursor begins.\n\n";
    for (const extract::SourceEntry& entry : sources.entries()) {
        out += page_head(entry) + options_table(entry.options) + blocks_paragraph(entry.options) + "\n";
        if (entry.resource_options.empty()) continue;
        const Split split = split_resource_options(entry);
        out += fmt::format("Of each resource of `{}`:\n\n{}\n", entry.name, options_table(split.own));
        if (!split.as_source.empty()) out += fmt::format("And, in the place of the source's: `{}`.\n\n", fmt::join(split.as_source, "`, `"));
    }
    out += "## Destinations\n\n";
    for (const destination::DestinationEntry& entry : destinations.entries()) out += page_head(entry) + options_table(entry.options) + blocks_paragraph(entry.options) + "\n";
    out.pop_back();
    return out;
}

}  // namespace tipple::cli
