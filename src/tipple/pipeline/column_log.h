#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tipple/columns/widen.h"
#include "tipple/io/file_system.h"
#include "tipple/json/value.h"
#include "tipple/normalize/page_result.h"
#include "tipple/package/package.h"
#include "tipple/pipeline/report.h"
#include "tipple/schema/schema.h"

/// Which record made each column, and why it got its type: noted in a package, and kept in the pipeline's folder once that is loaded
/// (docs/internals/column-log.md). For people: nothing is decided by it.
namespace tipple::pipeline {

/// A column that a page of the run was the first to bring.
struct ColumnBirth {
    std::string table;
    std::string column;
    normalize::TypeReason reason = normalize::TypeReason::value;
    RecordPlace place;
    /// normalize::ColumnOrigin::value
    std::string value = {};
};

/// What is to be noted of the columns that `schema` has and `before` has not: an object for each. Those without a birth were declared. With `moves`,
/// values of several columns have come together in one, which was made by the first of them; one that was there before was widened.
json::Array describe_births(const std::vector<ColumnBirth>& births, const std::vector<columns::ColumnMove>& moves, const schema::Schema& before,
                            const schema::Schema& schema);

/// What people should hear of columns that were made because values had another type than their column; `births` is what `describe_births` returned.
std::vector<std::string> describe_variants(const json::Array& births, const schema::Schema& schema);

class ColumnLog {
public:
    /// Member of a manifest's notes: what `describe_births` returned.
    static constexpr std::string_view note = "columns";

    /// `folder`: that of the pipeline.
    ColumnLog(io::FileSystem& files, const std::string& folder);

    /// Keeps what the package notes. Doing so twice does no harm.
    void add(const package::Manifest& manifest);
    /// Newest first, each once.
    std::vector<json::Object> find(std::string_view schema, std::string_view table, std::string_view column) const;

private:
    io::FileSystem& files_;
    std::string path_;
};

}  // namespace tipple::pipeline
