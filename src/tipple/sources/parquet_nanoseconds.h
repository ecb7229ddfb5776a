#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/engine/engine.h"
#include "tipple/source/source.h"

namespace tipple::sources {

/// The nanoseconds of a Parquet file that the engine does not hand over: of times, and of time stamps with a zone, it gives the microseconds alone. It
/// gives all of time stamps without a zone, and in the file the three are the same numbers. So the columns in question are copied, as they lie, to
/// the same places of another file, which declares them as such.
class ParquetNanoseconds {
public:
    /// Nothing is copied, and `any` is false, where the engine gives all there is. `columns`: what it makes of the file `path`. `context`: where the copy goes, and
    /// when to stop. All live as long as this.
    ParquetNanoseconds(engine::Engine& engine, const std::string& path, const std::vector<engine::ReadColumn>& columns, const extract::ResourceContext& context);
    ~ParquetNanoseconds();
    ParquetNanoseconds(const ParquetNanoseconds&) = delete;
    ParquetNanoseconds& operator=(const ParquetNanoseconds&) = delete;

    /// Whether the engine leaves out anything: a value of those columns is no whole number of microseconds.
    bool any() const { return any_; }
    /// Reads the rows that `rows` reads, those columns as nanoseconds since midnight or 1970.
    std::string statement(const std::string& rows) const;
    /// Makes times of such columns.
    void restore(columns::Batch& batch) const;

private:
    std::string as_relation(const std::string& rows) const;
    void copy_columns(engine::Engine& engine, const std::string& footer, std::uint64_t footer_at, const std::vector<std::string>& names) const;
    bool find_any(engine::Engine& engine, const std::stop_token& stop) const;

    const std::string& path_;
    const std::vector<engine::ReadColumn>& columns_;
    std::vector<std::size_t> places_;  ///< of the columns in question among all
    std::string copy_;
    bool any_ = false;
};

}  // namespace tipple::sources
