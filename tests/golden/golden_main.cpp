// Runs a folder of golden cases: `golden DIR [NAME...]`. Ends with `N passed, N failed`; the exit code is 0 when all passed.
// With TIPPLE_GOLDEN_KEEP=FOLDER a case works in FOLDER/NAME, where `golden.duckdb` may lie already and stays.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "golden_case.h"
#include "tipple/core/error.h"
#include "tipple/io/file_system.h"

int main(int argc, char** argv) {
    using namespace tipple;
    if (argc < 2) {
        fmt::print(stderr, "usage: golden DIR [NAME...]\n");
        return 2;
    }
    const std::unique_ptr<io::FileSystem> files = io::local_file_system();
    const std::vector<std::string> wanted(argv + 2, argv + argc);
    const char* base = std::getenv("TMPDIR");
    const char* kept = std::getenv("TIPPLE_GOLDEN_KEEP");
    const std::string scratch = fmt::format("{}/tipple-golden-{}", base != nullptr ? base : "/tmp", getpid());
    std::size_t passed = 0;
    std::size_t failed = 0;
    for (const io::FileInfo& info : files->list(argv[1])) {
        std::string name = io::file_name(info.path);
        if (info.is_directory || !name.ends_with(".json")) continue;
        name.resize(name.size() - 5);
        if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
        if (kept == nullptr) files->remove(scratch);
        const std::string folder = kept != nullptr ? io::join_path(kept, name) : scratch;
        files->create_folders(folder);
        golden::Outcome outcome;
        try {
            outcome = golden::run_case(json::parse(files->read_text(info.path), info.path), folder);
        } catch (const Error& error) {
            outcome.differences = {error.what()};
        }
        outcome.has_passed ? ++passed : ++failed;
        if (outcome.has_passed) continue;
        fmt::print("FAILED {}\n", name);
        for (const std::string& difference : outcome.differences) fmt::print("    {}\n", difference);
    }
    files->remove(scratch);
    fmt::print("{} passed, {} failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
