#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tipple/schema/detect.h"
#include "tipple/schema/filters.h"
#include "tipple/schema/naming.h"
#include "tipple/schema/schema.h"

namespace tipple::normalize {

/// What happens when several names of one object of the data become one name.
enum class Collisions {
    keep,    ///< the last value that is not null counts, as in the reference but for the nulls; the run says so
    fail,    ///< the record is bad
    suffix,  ///< names behind the first one get columns of their own: `name_2`, `name_3`
};

/// What stays the same for all pages of one run. Immutable; shared by all workers.
struct Rules {
    std::shared_ptr<const schema::NamingConvention> naming;
    std::shared_ptr<const schema::Inference> inference;
    /// nullptr = the schema has none.
    std::shared_ptr<const schema::Filters> filters;
    /// Keys are broken at the naming convention's separator before they are normalized, unless an old schema says otherwise.
    bool breaks_paths = true;
    Collisions collisions = Collisions::keep;
    /// Kinds of values under one name are kept apart until all is read, then put together without loss (kinds.h).
    bool widens = false;
    /// Bad records are to be put aside, so their whole text is wanted.
    bool keeps_bad_records = false;
    /// Digits behind the second that the destination keeps of a complete column of timestamps or times; nullptr = all six.
    int (*kept_time_digits)(const schema::Column& column) = nullptr;
    std::string load_id;
    /// RowIdMaker::prefix_length characters.
    std::string row_id_prefix;
};

}  // namespace tipple::normalize
