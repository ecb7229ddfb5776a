#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace tipple::io {

/// What this process has used so far.
struct ProcessUsage {
    std::uint64_t peak_resident_bytes = 0;
    double cpu_seconds = 0;  ///< all threads, user and system
};

/// As the kernel counts it, now.
ProcessUsage process_usage();

/// Whether this process has the right to write to the file or folder `path` of this machine; false when it is not there.
bool may_write(const std::string& path);

/// Makes the allocator give large blocks back to the system as soon as they are free, so that a budget of `memory_bytes` can be kept. By itself it keeps
/// ever larger ones, which was a quarter of a load's memory; each block that goes back costs page faults, so a roomy budget gives back only the largest.
/// For the whole process: for a program to call, not for a library. Does nothing where the allocator is not glibc's.
void bound_allocator(std::size_t memory_bytes);

/// Gives memory that the allocator holds and nobody uses back to the system, where it can: between two steps that use memory differently.
/// @param kept_bytes when there are no more than so many of it, nothing is done, which takes some microseconds instead of milliseconds
void release_free_memory(std::size_t kept_bytes = 0);

}  // namespace tipple::io
