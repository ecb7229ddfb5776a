#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tipple::sources::csv {

/// The names of columns as the first line of a file has them: without spaces around; what has no name is called `column` and its place; of names that are
/// equal but for their case the second gets `_1`.
std::vector<std::string> column_names(std::vector<std::string> header);
/// `column0`, `column1`, …
std::vector<std::string> plain_names(std::size_t count);

}  // namespace tipple::sources::csv
