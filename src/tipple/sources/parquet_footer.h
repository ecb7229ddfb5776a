#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tipple::sources {

/// A column of a Parquet file, not of structs or lists, with times in nanoseconds.
struct NanosecondColumn {
    std::size_t place = 0;  ///< among the columns of the file
    std::string name;
};

/// Finds them in a footer, the `FileMetaData` of https://github.com/apache/parquet-format in Thrift's compact protocol, and makes all of them time stamps without a zone
/// there: of each, a byte or two change. What it does not understand stays as it is.
std::vector<NanosecondColumn> declare_wall_clocks(std::string& footer);

}  // namespace tipple::sources
