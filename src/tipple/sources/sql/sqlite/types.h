#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tipple/sources/sql/database.h"

namespace tipple::sources::sql::sqlite {

/// What a declared type means: the words that people write, else by the database's own rules of affinity. Values of a column without a type, or of any numbers,
/// decide themselves.
DeclaredColumn declared_column(std::string name, const std::string& declared);

}  // namespace tipple::sources::sql::sqlite
