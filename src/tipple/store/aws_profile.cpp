#include "tipple/store/aws_profile.h"

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::store {

namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view spaces = " \t\r";
    text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
    while (!text.empty() && spaces.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
    return text;
}

/// Without what stands between brackets in surplus: `[ profile  a ]`.
std::string section_name(std::string_view line) {
    std::string name;
    for (std::string_view rest = trimmed(line.substr(1, line.find(']') - 1)); !rest.empty();) {
        const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
        rest = trimmed(rest.substr(word.size()));
        if (!name.empty()) name += ' ';
        name += word;
    }
    return name;
}

std::string path_of(const io::Variables& variables, const char* variable, const char* below_home) {
    if (const std::optional<std::string> path = variables(variable)) return *path;
    const std::optional<std::string> home = variables("HOME");
    return home ? io::join_path(*home, below_home) : std::string();
}

}  // namespace

/// False when there is no such section. Lines that are indented belong to the setting above them, of which we know none.
bool AwsProfile::add_file(std::string_view text, std::string_view section) {
    bool is_ours = false;
    bool is_found = false;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.starts_with('[')) {
            is_ours = section_name(line) == section;
            is_found = is_found || is_ours;
            continue;
        }
        const std::size_t equals = line.find('=');
        if (!is_ours || equals == std::string_view::npos || line.find_first_of("#; \t") == 0) continue;
        std::string_view value = line.substr(equals + 1);
        // A mark behind a space begins a comment; secrets may hold one.
        for (const std::string_view mark : {" #", " ;", "\t#", "\t;"}) value = value.substr(0, value.find(mark));
        settings_.insert_or_assign(lower(trimmed(line.substr(0, equals))), std::string(trimmed(value)));
    }
    return is_found;
}

AwsProfile AwsProfile::read(io::FileSystem& files, const io::Variables& variables, const std::string& name) {
    AwsProfile profile;
    const std::optional<std::string> chosen = name.empty() ? variables("AWS_PROFILE") : name;
    profile.name_ = chosen.value_or("default");
    const std::string config = path_of(variables, "AWS_CONFIG_FILE", ".aws/config");
    const std::string credentials = path_of(variables, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
    bool is_found = false;
    if (!config.empty() && files.find(config) != nullptr) {
        const std::string text = files.read_text(config);
        is_found = profile.add_file(text, profile.name_ == "default" ? "default" : "profile " + profile.name_);
        if (!is_found && profile.name_ == "default") is_found = profile.add_file(text, "profile default");
    }
    if (!credentials.empty() && files.find(credentials) != nullptr) is_found = profile.add_file(files.read_text(credentials), profile.name_) || is_found;
    if (chosen && !is_found) throw Error(ErrorKind::usage, "there is no profile \"{}\" in {} or {}", excerpt(profile.name_), credentials, config);
    return profile;
}

std::optional<std::string> AwsProfile::find(const std::string& key) const {
    const auto found = settings_.find(key);
    if (found == settings_.end() || found->second.empty()) return std::nullopt;
    return found->second;
}

}  // namespace tipple::store
