#include "cli/source_template.h"

#include <algorithm>
#include <utility>

#include "tipple/core/error.h"

namespace tipple::cli {

namespace {

// `@name@` is the source's name, in paths too.

constexpr const char* cmake_text = R"text(cmake_minimum_required(VERSION 3.25)
project(@name@ CXX)

# Where tipple is installed: -DCMAKE_PREFIX_PATH=DIR
find_package(tipple REQUIRED)
enable_testing()

add_library(@name@_source STATIC @name@.cpp)
target_link_libraries(@name@_source PUBLIC tipple::tipple)

# tipple's command line with this source in it.
add_executable(@name@ main.cpp)
target_link_libraries(@name@ PRIVATE @name@_source)

add_executable(@name@_test @name@_test.cpp)
target_link_libraries(@name@_test PRIVATE @name@_source)
add_test(NAME @name@ COMMAND @name@_test)
)text";

constexpr const char* header_text = R"text(#pragma once

#include <tipple/tipple.h>

/// Reads @name@. Options: `pages`, how many there are.
tipple::Source @name@(const tipple::Options& options);
)text";

constexpr const char* source_text = R"text(#include "@name@.h"

#include <optional>
#include <string>

namespace {

/// Asks the system that is read. Put your requests here.
class Client {
public:
    explicit Client(const tipple::Options& options) : pages_(std::stoi(options.find("pages").value_or("2"))) {}

    /// JSON of the items from `since` on, page by page; nothing at the end.
    std::optional<std::string> items(const std::string& since, int page) const {
        if (page > pages_) return std::nullopt;
        const std::string number = std::to_string(page);
        const std::string day = since.empty() ? "2024-01-0" + number : since;
        return R"([{"id":)" + number + R"(,"updated_at":")" + day + R"(","tags":["new"]}])";
    }

private:
    int pages_;
};

}  // namespace

tipple::Source @name@(const tipple::Options& options) {
    auto items = tipple::resource("items", [client = Client(options)](tipple::Output& out, tipple::ResourceContext& context) {
        const std::string since = context.cursor().start_text();
        for (int page = 1; auto text = client.items(since, page); ++page) {
            out.write_json(*text);
            context.count("requests");
        }
    });
    items.write_disposition(tipple::Disposition::merge).primary_key("id").incremental("updated_at");
    return tipple::source("@name@", "What this source reads, in a sentence.").add(items);
}
)text";

constexpr const char* main_text = R"text(#include "@name@.h"

// The sources of this program, by the names that its command line knows.
int main(int argc, char** argv) { return tipple::tipple_main(argc, argv, {{"@name@", @name@}}); }
)text";

constexpr const char* test_text = R"text(#include "@name@.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

// Loads twice into a new database, and looks at what is there: nothing may be doubled.
int main() {
    const std::filesystem::path folder = std::filesystem::temp_directory_path() / "@name@_test";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    tipple::Pipeline pipeline({.name = "@name@", .destination = (folder / "@name@.duckdb").string(), .dataset = "data", .data_folder = (folder / "state").string()});

    tipple::Options options;
    options.set("pages", "3");
    const tipple::LoadInfo first = pipeline.run(@name@(options));
    pipeline.run(@name@(options));
    const std::string count = pipeline.query("SELECT count(*) FROM " + pipeline.table_name("items")).rows.at(0).at(0).value_or("");
    std::filesystem::remove_all(folder);
    if (first.metrics.at("items").at("requests") == 3 && count == "3") return EXIT_SUCCESS;
    std::fprintf(stderr, "3 items expected, %s found\n", count.c_str());
    return EXIT_FAILURE;
}
)text";

constexpr const char* readme_text = R"text(# @name@

A source for tipple. `@name@.cpp` is the source, `main.cpp` gives it a name, `@name@_test.cpp` loads it into a database of its own.

```
cmake -B build -DCMAKE_PREFIX_PATH=<where tipple is installed>
cmake --build build
ctest --test-dir build
build/@name@ load @name@ @name@.duckdb --option pages=5
```
)text";

constexpr std::pair<const char*, const char*> templates[] = {{"CMakeLists.txt", cmake_text}, {"@name@.h", header_text},         {"@name@.cpp", source_text},
                                                             {"main.cpp", main_text},        {"@name@_test.cpp", test_text}, {"README.md", readme_text}};

std::string filled_in(std::string text, std::string_view name) {
    constexpr std::string_view place = "@name@";
    for (std::size_t at = text.find(place); at != std::string::npos; at = text.find(place, at + name.size())) text.replace(at, place.size(), name);
    return text;
}

bool is_identifier(std::string_view name) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

std::vector<std::string> write_source_project(io::FileSystem& files, const std::string& name, const std::string& folder) {
    if (!is_identifier(name)) {
        throw Error(ErrorKind::usage, "\"{}\" cannot be the name of a source in C++: small letters, digits and underscores, a letter first", name);
    }
    const std::string project = io::join_path(folder, name);
    if (!files.list(project).empty()) throw Error(ErrorKind::usage, "{} has files already; choose another name or folder", project);
    files.create_folders(project);
    std::vector<std::string> paths;
    for (const auto& [path, text] : templates) {
        paths.push_back(io::join_path(project, filled_in(path, name)));
        files.write_text_durably(paths.back(), filled_in(text, name));
    }
    return paths;
}

}  // namespace tipple::cli
