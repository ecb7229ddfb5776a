#pragma once

#include "tipple/api/record.h"
#include "tipple/columns/column.h"

namespace tipple::api {

/// A batch's rows as records.
Records to_records(const columns::Batch& batch);

}  // namespace tipple::api
