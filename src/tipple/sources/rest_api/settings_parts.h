#pragma once

#include "tipple/config/table_reader.h"
#include "tipple/sources/rest_api/settings.h"

/// Readers of the parts of an API's settings; what is wrong goes to `problems`.
namespace tipple::sources::rest {

/// A name, or a table with `type`.
PaginatorSpec read_paginator(const config::Node& node, config::Problems& problems);
/// The same, or "none".
AuthSpec read_auth(const config::Node& node, config::Problems& problems);
std::vector<ResponseRule> read_rules(const config::Node& node, config::Problems& problems);
io::RetryOptions read_retry(const config::Node& node, config::Problems& problems);
/// Seconds, as a number or as in `30s`.
std::optional<double> read_duration(config::TableReader& reader, const char* name);
/// Names that are no header's, and values that would break out of it.
void check_header(const std::string& name, const config::Node& value, config::Problems& problems);

}  // namespace tipple::sources::rest
