#include "tipple/pipeline/report.h"

#include <fmt/format.h>

#include "tipple/core/text.h"

namespace tipple::pipeline {

std::string SkippedRecord::place() const {
    if (line > 0) return fmt::format("{}:{} (byte {})", origin, line, format_count(byte_offset));
    return fmt::format("{}, record {} (byte {})", origin, format_count(record), format_count(byte_offset));
}

}  // namespace tipple::pipeline
