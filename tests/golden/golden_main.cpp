// Runs a folder of golden cases: `golden [--destination duckdb|postgres|filesystem] [--skip FILE] DIR [NAME...]`. Ends with `N passed, N failed`; the exit code
// is 0 when all passed. FILE is a JSON object of cases that this kind of destination cannot run, each with the reason.
// With TIPPLE_GOLDEN_KEEP=FOLDER a case works in FOLDER/NAME, where `golden.duckdb` may lie already and stays. Postgres: see store.h.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "golden_case.h"
#include "tipple/core/error.h"
#include "tipple/io/file_system.h"

namespace {

using namespace tipple;

struct Arguments {
    std::string destination = "duckdb";
    json::Object skipped;
    std::string folder;
    std::vector<std::string> names;
};

/// False when they make no sense.
bool parse(std::vector<std::string> texts, io::FileSystem& files, Arguments& arguments) {
    std::size_t at = 0;
    for (; at + 1 < texts.size() && texts[at].starts_with("--"); at += 2) {
        if (texts[at] == "--destination") {
            arguments.destination = texts[at + 1];
        } else if (texts[at] == "--skip") {
            arguments.skipped = json::parse(files.read_text(texts[at + 1]), texts[at + 1]).as_object();
        } else {
            return false;
        }
    }
    if (at == texts.size() || (arguments.destination != "duckdb" && arguments.destination != "postgres" && arguments.destination != "filesystem")) return false;
    arguments.folder = texts[at];
    arguments.names.assign(texts.begin() + static_cast<std::ptrdiff_t>(at) + 1, texts.end());
    return true;
}

golden::Outcome run(const std::string& path, const std::string& folder, const std::string& destination, io::FileSystem& files) {
    try {
        const std::unique_ptr<golden::Store> store = destination == "postgres"     ? golden::postgres_store()
                                                     : destination == "filesystem" ? golden::filesystem_store(folder)
                                                                                   : golden::duckdb_store(folder);
        return golden::run_case(json::parse(files.read_text(path), path), folder, *store);
    } catch (const Error& error) {
        return {.has_passed = false, .differences = {error.what()}};
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::unique_ptr<io::FileSystem> files = io::local_file_system();
    Arguments arguments;
    if (!parse({argv + 1, argv + argc}, *files, arguments)) {
        fmt::print(stderr, "usage: golden [--destination duckdb|postgres|filesystem] [--skip FILE] DIR [NAME...]\n");
        return 2;
    }
    const char* base = std::getenv("TMPDIR");
    const char* kept = std::getenv("TIPPLE_GOLDEN_KEEP");
    const std::string scratch = fmt::format("{}/tipple-golden-{}", base != nullptr ? base : "/tmp", getpid());
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::size_t skipped = 0;
    for (const io::FileInfo& info : files->list(arguments.folder)) {
        std::string name = io::file_name(info.path);
        if (info.is_directory || !name.ends_with(".json")) continue;
        name.resize(name.size() - 5);
        const std::vector<std::string>& wanted = arguments.names;
        if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
        if (arguments.skipped.find(name) != nullptr) {
            ++skipped;
            continue;
        }
        if (kept == nullptr) files->remove(scratch);
        const std::string folder = kept != nullptr ? io::join_path(kept, name) : scratch;
        files->create_folders(folder);
        const golden::Outcome outcome = run(info.path, folder, arguments.destination, *files);
        outcome.has_passed ? ++passed : ++failed;
        if (outcome.has_passed) continue;
        fmt::print("FAILED {}\n", name);
        for (const std::string& difference : outcome.differences) fmt::print("    {}\n", difference);
    }
    files->remove(scratch);
    if (skipped > 0) fmt::print("{} skipped\n", skipped);
    fmt::print("{} passed, {} failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
