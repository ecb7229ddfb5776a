#pragma once

#include <cstdint>

namespace tipple::io {

/// What this process has used so far.
struct ProcessUsage {
    std::uint64_t peak_resident_bytes = 0;
    double cpu_seconds = 0;  ///< all threads, user and system
};

/// As the kernel counts it, now.
ProcessUsage process_usage();

}  // namespace tipple::io
