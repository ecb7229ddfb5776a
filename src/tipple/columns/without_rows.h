#pragma once

#include <cstddef>
#include <vector>

#include "tipple/columns/column.h"

namespace tipple::columns {

/// The batch without some of its rows. `rows`: their places, ascending, each once.
Batch without_rows(const Batch& batch, const std::vector<std::size_t>& rows);

}  // namespace tipple::columns
