#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tipple/sources/csv/dialect.h"

namespace tipple::sources::csv {

/// Types of columns by the names in the header.
using Types = std::map<std::string, Type, std::less<>>;

/// What the files of a resource are like, found out once from the beginnings of some of them.
struct Survey {
    Dialect dialect;
    std::size_t width = 0;  ///< columns of the widest header
    /// Of columns that have values there, the narrowest type that holds those of all files; declared ones too.
    Types types;
};

/// `format_delimiter`: what the files' format says.
Survey survey(std::span<const Beginning> files, const Options& options, const std::optional<std::string>& format_delimiter);

/// Of one file whose header the resource's dialect does not divide.
Dialect own_dialect(const Beginning& file, const Options& options);

}  // namespace tipple::sources::csv
