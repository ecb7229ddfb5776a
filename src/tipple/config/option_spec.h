#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tipple::config {

/// What the text of an option must look like.
enum class OptionKind { text, integer, boolean, size, seconds, path, secret };

/// One option of a source or destination: the single statement from which validation, help and the
/// reference page come.
struct OptionSpec {
    std::string name;
    std::string summary;
    OptionKind kind = OptionKind::text;
    bool is_required = false;
    std::string default_value = {};
    /// What dlt calls it in its settings; empty = the same.
    std::string reference_name = {};
    /// Of a settings file: a table it may stand in too, under the same name; empty = none.
    std::string block = {};
};

/// Values by option name, as text. Which are valid is said by a list of OptionSpec.
class Options {
public:
    void set(std::string name, std::string value) { values_[std::move(name)] = std::move(value); }
    std::optional<std::string> find(std::string_view name) const;
    /// Throws Error(usage) when it is missing.
    const std::string& require(std::string_view name) const;
    const std::map<std::string, std::string, std::less<>>& values() const { return values_; }

private:
    std::map<std::string, std::string, std::less<>> values_;
};

/// The values of an option that is a list: lines, of which an empty one is the empty text.
std::vector<std::string> lines_of(std::string_view text);
/// The same of a list of names, among which an empty line is none.
std::vector<std::string> names_of(std::string_view text);

/// Fills in defaults and checks names and forms. Throws Error(usage) that names every wrong option
/// at once, with "did you mean".
Options check_options(const Options& given, const std::vector<OptionSpec>& specs,
                      std::string_view what);

}  // namespace tipple::config
