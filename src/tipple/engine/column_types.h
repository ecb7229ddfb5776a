#pragma once

#include <string>
#include <string_view>

#include "tipple/schema/schema.h"

namespace tipple::engine {

/// The type a complete column gets. Throws Error(usage) when DuckDB has none for it.
std::string column_type(const schema::Column& column);

/// Digits behind the second that a complete column of timestamps or times keeps, of six: only of times without a zone are there types with fewer.
int kept_time_digits(const schema::Column& column);

/// Whether a column of the type `to`, as the catalog names it, takes any value of the type `from` unchanged or with an error. Elsewhere the engine
/// would round, cut or guess without a word.
bool keeps_values(std::string_view from, std::string_view to);

}  // namespace tipple::engine
