#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/config/option_spec.h"
#include "tipple/sources/csv/values.h"

namespace tipple::sources::csv {

/// How the text of a CSV file is divided into fields.
struct Dialect {
    std::string delimiter = ",";
    char quote = '"';   ///< 0 = none
    char escape = '"';  ///< makes a quote part of a field; the quote itself = it is doubled
    char comment = 0;   ///< lines that begin with it do not count; 0 = none
    bool operator==(const Dialect&) const = default;
};

/// What the user says about CSV files. What is not said is found out.
struct Options {
    std::optional<std::string> delimiter;
    std::optional<char> quote;
    std::optional<char> escape;
    char comment = 0;
    bool has_header = true;
    std::uint64_t skip_lines = 0;
    /// Fields that are null, besides those in which there is nothing but spaces where the column is not text.
    std::vector<std::string> nulls = {""};
    /// By the names in the header.
    std::map<std::string, Type, std::less<>> types;
};
std::vector<config::OptionSpec> option_specs();
/// Reads the options that `option_specs` lists. Throws Error(usage).
Options parse_options(const config::Options& options);

/// A table as JSON, or lines of `name:type`. `option`: its name, for messages. Throws Error(usage).
std::map<std::string, Type, std::less<>> parse_types(const std::string& text, const std::string& option);

/// The beginning of a file.
struct Beginning {
    std::string text;
    bool is_all = false;
};

/// The dialect in which most lines of most files have as many fields as the first one of their file. `fixed`: what is not to be found out: a
/// delimiter of the format, else what the user says.
Dialect find_dialect(std::span<const Beginning> files, const Options& options, const std::optional<std::string>& format_delimiter);

}  // namespace tipple::sources::csv
