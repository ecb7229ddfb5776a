#include <dlfcn.h>
#include <sys/types.h>

#include <string>

#include "tipple/engine/engine.h"

namespace tipple::engine {

namespace {

/// Measured with 1 GB of nested JSON: a budget of 256 MiB needs it, and pays for it with a fifth of the load's CPU time; one of 512 MiB is kept without.
constexpr std::size_t tight_bytes = std::size_t{320} << 20;

/// `mallctl` of jemalloc (jemalloc(3)), under the name it has in the library.
using Control = int (*)(const char* name, void* old_value, std::size_t* old_size, void* new_value, std::size_t new_size);

}  // namespace

void bound_allocator(std::size_t memory_bytes) {
    if (memory_bytes == 0 || memory_bytes >= tight_bytes) return;
    const auto control = reinterpret_cast<Control>(::dlsym(RTLD_DEFAULT, "duckdb_je_mallctl"));
    if (control == nullptr) return;
    // For arenas that are made from now on, and for those that are there. What it does not take is as if it had not been asked.
    for (const char* decay : {"dirty_decay_ms", "muzzy_decay_ms"}) {
        ssize_t at_once = 0;
        control((std::string("arenas.") + decay).c_str(), nullptr, nullptr, &at_once, sizeof(at_once));
        unsigned arenas = 0;
        std::size_t size = sizeof(arenas);
        if (control("arenas.narenas", &arenas, &size, nullptr, 0) != 0) continue;
        for (unsigned i = 0; i < arenas; ++i) control((std::string("arena.") + std::to_string(i) + "." + decay).c_str(), nullptr, nullptr, &at_once, sizeof(at_once));
    }
}

}  // namespace tipple::engine
