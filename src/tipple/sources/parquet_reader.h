#pragma once

#include <memory>
#include <string>

#include "tipple/io/file_system.h"
#include "tipple/source/source.h"

namespace tipple::sources {

/// A Parquet file on this machine.
struct ParquetInput {
    std::string name;  ///< for messages
    std::string path;  ///< where its bytes are: another place for spooled content
    /// Size and time of a file that stays where it is; nullptr = it does not.
    const io::FileInfo* in_place = nullptr;
    std::shared_ptr<const extract::OriginColumns> origin_columns;
};

/// Reads it with the embedded engine, as columns. A file that stays where it is is offered first; its rows are read when the offer is not taken.
void read_parquet(const ParquetInput& file, const extract::ResourceContext& context, extract::Output& out);

}  // namespace tipple::sources
