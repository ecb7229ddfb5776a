#include "tipple/io/process.h"

#include <algorithm>
#include <cstdio>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace tipple::io {

namespace {

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

#ifdef __linux__
/// The kernel's high-water mark of this very program, 0 when it cannot be read. getrusage is not
/// enough: its peak survives exec, so a small program started by a large one would report the large
/// one's memory.
std::uint64_t high_water_mark_bytes() {
    std::FILE* file = std::fopen("/proc/self/status", "re");
    if (file == nullptr) return 0;
    char line[256];
    unsigned long long kibibytes = 0;
    while (std::fgets(line, sizeof(line), file) != nullptr) {
        if (std::sscanf(line, "VmHWM: %llu kB", &kibibytes) == 1) break;
    }
    std::fclose(file);
    return std::uint64_t{kibibytes} * 1024;
}
constexpr std::uint64_t maxrss_unit = 1024;
#else
std::uint64_t high_water_mark_bytes() {
    return 0;
}
constexpr std::uint64_t maxrss_unit = 1;
#endif

}  // namespace

ProcessUsage process_usage() {
    rusage usage = {};
    ::getrusage(RUSAGE_SELF, &usage);
    ProcessUsage result{.peak_resident_bytes = high_water_mark_bytes(),
                        .cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)};
    if (result.peak_resident_bytes == 0) {
        result.peak_resident_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * maxrss_unit;
    }
    return result;
}

bool may_write(const std::string& path) { return ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0; }

void bound_allocator([[maybe_unused]] std::size_t memory_bytes) {
#ifdef __GLIBC__
    // Setting the threshold also stops it from growing. Measured with budgets of 256 and 512 MiB.
    constexpr std::size_t least = std::size_t{1} << 20;
    constexpr std::size_t most = std::size_t{32} << 20;
    const auto large_bytes = static_cast<int>(std::clamp(memory_bytes / 256, least, most));
    mallopt(M_MMAP_THRESHOLD, large_bytes);
    // It has grown with the other one.
    mallopt(M_TRIM_THRESHOLD, large_bytes / 8);
#endif
}

void release_free_memory([[maybe_unused]] std::size_t kept_bytes) {
#ifdef __GLIBC__
    if (kept_bytes == 0 || mallinfo2().fordblks > kept_bytes) malloc_trim(0);
#endif
}

}  // namespace tipple::io
