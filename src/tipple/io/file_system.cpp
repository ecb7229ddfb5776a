#include "tipple/io/file_system.h"

#include "tipple/core/error.h"

namespace tipple::io {

std::string FileSystem::read_text(const std::string& path) {
    const std::unique_ptr<ReadFile> file = open_read(path);
    // The size is a hint only: it is 0 for pipes and may change while we read.
    constexpr std::size_t step = std::size_t{64} << 10;
    std::string text;
    std::size_t used = 0;
    text.resize(static_cast<std::size_t>(file->size()) + 1);
    while (const std::size_t got = file->read(text.data() + used, text.size() - used)) {
        used += got;
        if (used == text.size()) text.resize(used + step);
    }
    text.resize(used);
    return text;
}

void FileSystem::copy_folder(const std::string& from, const std::string& to) {
    create_folders(to);
    std::string block(std::size_t{1} << 20, '\0');
    for (const FileInfo& entry : list(from)) {
        const std::string target = join_path(to, file_name(entry.path));
        if (entry.is_directory) {
            copy_folder(entry.path, target);
            continue;
        }
        const std::unique_ptr<ReadFile> source = open_read(entry.path);
        const std::unique_ptr<WriteFile> copy = create(target);
        while (const std::size_t count = source->read(block.data(), block.size())) copy->write({block.data(), count});
        copy->close();
    }
}

void FileSystem::write_text(const std::string& path, std::string_view text, Durability durability) {
    const std::string temporary = path + ".new";
    try {
        const std::unique_ptr<WriteFile> file = create(temporary);
        file->write(text);
        if (durability == Durability::waits) file->sync();
        file->close();
        rename(temporary, path);
    } catch (const Error&) {
        // The first error is the one to report; a leftover is overwritten by the next write.
        try {
            remove(temporary);
        } catch (const Error&) {
        }
        throw;
    }
}

void FileSystem::write_text_durably(const std::string& path, std::string_view text) {
    write_text(path, text, Durability::waits);
    sync_folder(parent_folder(path));
}

void FileSystem::write_text_atomically(const std::string& path, std::string_view text) { write_text(path, text, Durability::does_not_wait); }

std::string join_path(std::string_view folder, std::string_view name) {
    if (folder.empty()) return std::string(name);
    if (name.empty()) return std::string(folder);
    std::string path(folder);
    if (path.back() != '/') path += '/';
    while (name.starts_with('/')) name.remove_prefix(1);
    path += name;
    return path;
}

namespace {

std::string_view without_trailing_slashes(std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    return path;
}

}  // namespace

std::string file_name(std::string_view path) {
    path = without_trailing_slashes(path);
    return std::string(path.substr(path.rfind('/') + 1));
}

std::string parent_folder(std::string_view path) {
    path = without_trailing_slashes(path);
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return ".";
    return std::string(without_trailing_slashes(path.substr(0, slash + 1)));
}

}  // namespace tipple::io
