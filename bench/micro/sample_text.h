#pragma once

#include <cstddef>
#include <string>

/// Text for the micro-benchmarks: always the same, in the shape of what make_data.py makes.
namespace tipple::bench {

/// JSON lines in the shape of GitHub events, about 1.5 KB a record: at least `bytes` of them, whole
/// records only.
std::string nested_lines(std::size_t bytes);

/// JSON lines with 10 fields, about 225 bytes a record.
std::string flat_lines(std::size_t bytes);

/// The same records as one JSON array.
std::string as_array(std::string lines);

}  // namespace tipple::bench
