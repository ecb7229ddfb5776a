// Loads files that somebody drops into a folder, each once. Which ones were loaded is remembered with the rows, in the same commit.
//
//   drop_folder FOLDER DATABASE
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tipple/tipple.h"

namespace {

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

tipple::Source drop_folder(const std::string& folder) {
    auto events = tipple::resource("events", [folder](tipple::Output& out, tipple::ResourceContext& context) {
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            const std::string name = entry.path().filename().string();
            const auto size = static_cast<std::int64_t>(entry.file_size());
            // A file that has grown is another one.
            if (entry.path().extension() != ".jsonl" || context.resource_state().get<std::int64_t>(name, -1) == size) continue;
            out.write_json(read_file(entry.path()));
            context.resource_state().set(name, size);
            context.count("files");
        }
    });
    events.map([](tipple::Record& record) { record.erase("password"); });
    return tipple::source("drop_folder", "Events that other systems leave in a folder.").add(events);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: drop_folder FOLDER DATABASE\n", stderr);
        return 2;
    }
    try {
        tipple::Pipeline pipeline({.name = "drop_folder", .destination = argv[2], .dataset = "main"});
        const tipple::LoadInfo info = pipeline.run(drop_folder(argv[1]));
        std::printf("%llu rows\n", static_cast<unsigned long long>(info.rows));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
}
