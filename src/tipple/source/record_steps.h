#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tipple/json/pull.h"
#include "tipple/source/page.h"
#include "tipple/source/record_filter.h"
#include "tipple/source/steps.h"

namespace tipple::extract {

/// Where records of a page were before steps.
struct RecordOrigins {
    std::vector<std::size_t> places = {};
    std::vector<std::size_t> offsets = {};  ///< in bytes, of pages of JSON only
};

/// Applies the steps of a resource to its pages. One per worker; not thread-safe.
class RecordSteps {
public:
    /// What a page may become, in bytes of its records; more is an error.
    static constexpr std::size_t page_bytes_max = std::size_t{32} << 20;

    /// Changes the page, and returns where each record was that is left or was made. Records in
    /// JSON keep their lines. What is no JSON stays, and so does null: whoever reads the records
    /// will say so. Columns stay columns, unless a list in them is to be exploded: then their rows
    /// become records. What says where a record comes from is not touched by steps. `resource` is
    /// named in errors. Throws Error(usage) when a condition looks inside of a column, Error(data)
    /// when the page becomes too large.
    RecordOrigins apply(const std::vector<Step>& steps, Page& page, const std::string& resource);

private:
    RecordOrigins apply(const std::vector<Step>& steps, JsonPage& page,
                        const std::string& resource);
    RecordOrigins apply(const std::vector<Step>& steps, std::vector<schema::Value>& records,
                        const std::string& resource);
    RecordOrigins apply(const std::vector<Step>& steps, ColumnPage& page,
                        const std::string& resource);

    json::pull::Index index_;
    RecordFilter filter_;
};

}  // namespace tipple::extract
