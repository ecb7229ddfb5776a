#include "tipple/engine/new_file.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "tipple/core/random.h"

namespace tipple::engine {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view beginning = ".tipple-";
constexpr std::string_view ending = ".new";
/// Nobody takes longer to make one.
constexpr std::chrono::hours left_behind_after{1};

/// Base64 has a character that names cannot have.
std::string random_name() {
    std::string name = random_id(12);
    for (char& c : name) {
        if (c == '/' || c == '+') c = '_';
    }
    return name;
}

void remove_left_behind(const fs::path& folder) {
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(beginning) || !name.ends_with(ending)) continue;
        const fs::file_time_type written = entry.last_write_time(ignored);
        if (!ignored && fs::file_time_type::clock::now() - written > left_behind_after) fs::remove(entry.path(), ignored);
    }
}

/// Removed at the end, whatever has become of it.
struct Draft {
    std::string path;
    ~Draft() {
        std::error_code ignored;
        fs::remove(path, ignored);
    }
};

}  // namespace

void make_database_file(Engine& engine, const std::string& file, std::string_view options) {
    const fs::path folder = fs::path(file).parent_path();
    remove_left_behind(folder);
    const Draft draft{.path = (folder / fmt::format("{}{}{}", beginning, random_name(), ending)).string()};
    constexpr std::string_view name = "tipple_new_file";
    try {
        engine.execute(fmt::format("ATTACH {} AS {} ({})", quote_literal(draft.path), name, options));
        engine.execute(fmt::format("DETACH {}", name));
    } catch (const Error& error) {
        // Nobody knows the draft's name.
        std::string message = error.what();
        for (std::size_t at = message.find(draft.path); at != std::string::npos; at = message.find(draft.path, at + file.size())) message.replace(at, draft.path.size(), file);
        throw Error(error.kind(), "{}", message);
    }
    // Unlike a rename it replaces nothing that somebody else has made meanwhile.
    [[maybe_unused]] const int is_refused = ::link(draft.path.c_str(), file.c_str());
}

}  // namespace tipple::engine
