#include "tipple/config/option_spec.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::config {

std::optional<std::string> Options::find(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return std::nullopt;
    return found->second;
}

const std::string& Options::require(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) throw Error(ErrorKind::usage, "option \"{}\" is missing", name);
    return found->second;
}

namespace {

bool is_integer(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

bool is_seconds(std::string_view text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && std::isfinite(number) &&
           number >= 0;
}

/// What is wrong with a value, as the end of a sentence that starts with the option's name; empty
/// when nothing is. Never repeats a secret.
std::string form_problem(const OptionSpec& spec, const std::string& value) {
    switch (spec.kind) {
        case OptionKind::integer:
            if (!is_integer(value))
                return fmt::format("must be a whole number, not \"{}\"", excerpt(value));
            break;
        case OptionKind::boolean:
            if (value != "true" && value != "false") {
                return fmt::format("must be true or false, not \"{}\"", excerpt(value));
            }
            break;
        case OptionKind::size:
            if (!parse_size(value)) {
                return fmt::format("must be a size such as 512MiB, not \"{}\"", excerpt(value));
            }
            break;
        case OptionKind::seconds:
            if (!is_seconds(value)) {
                return fmt::format("must be a number of seconds, not \"{}\"", excerpt(value));
            }
            break;
        case OptionKind::path:
        case OptionKind::secret:
            if (value.empty()) return "must not be empty";
            break;
        case OptionKind::text:
            break;
    }
    return {};
}

std::string unknown_problem(const std::string& name, const std::vector<std::string>& known) {
    if (const auto nearest = did_you_mean(name, known)) {
        return fmt::format("\"{}\" is not known; did you mean \"{}\"?", excerpt(name), *nearest);
    }
    if (known.empty())
        return fmt::format("\"{}\" is not known; there are no options", excerpt(name));
    return fmt::format("\"{}\" is not known; known are {}", excerpt(name), join(known, ", "));
}

}  // namespace

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    std::size_t start = 0;
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', start)) {
        lines.emplace_back(text.substr(start, end - start));
        start = end + 1;
    }
    lines.emplace_back(text.substr(start));
    return lines;
}

std::vector<std::string> names_of(std::string_view text) {
    std::vector<std::string> names = lines_of(text);
    std::erase(names, "");
    return names;
}

Options check_options(const Options& given, const std::vector<OptionSpec>& specs,
                      std::string_view what) {
    std::vector<std::string> known;
    for (const OptionSpec& spec : specs) known.push_back(spec.name);

    Options checked;
    std::vector<std::string> problems;
    for (const auto& option : given.values()) {
        const std::string& name = option.first;
        const std::string& value = option.second;
        const auto spec =
            std::find_if(specs.begin(), specs.end(),
                         [&](const OptionSpec& candidate) { return candidate.name == name; });
        if (spec == specs.end()) {
            problems.push_back(unknown_problem(name, known));
            continue;
        }
        if (const std::string problem = form_problem(*spec, value); !problem.empty()) {
            problems.push_back(fmt::format("\"{}\" {}", name, problem));
        }
        checked.set(name, value);
    }
    for (const OptionSpec& spec : specs) {
        if (given.find(spec.name)) continue;
        if (spec.is_required) {
            problems.push_back(fmt::format("\"{}\" is missing ({})", spec.name, spec.summary));
        } else if (!spec.default_value.empty()) {
            checked.set(spec.name, spec.default_value);
        }
    }
    if (problems.empty()) return checked;
    throw Error(ErrorKind::usage, "options of {}: {}", what, join(problems, "; "));
}

}  // namespace tipple::config
