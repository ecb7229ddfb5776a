#include "tipple/engine/file_guard.h"

#include <map>
#include <mutex>
#include <utility>

#include "tipple/core/error.h"

namespace tipple::engine {

namespace {

struct OpenFiles {
    std::mutex mutex;
    std::map<std::string, int> readers;  ///< per path; -1 = one writer
};

OpenFiles& open_files() {
    static OpenFiles files;
    return files;
}

}  // namespace

FileGuard::FileGuard(std::string path, AttachMode mode) : mode_(mode) {
    OpenFiles& files = open_files();
    const std::lock_guard lock(files.mutex);
    const auto found = files.readers.find(path);
    const int holders = found == files.readers.end() ? 0 : found->second;
    if (holders < 0 || (holders > 0 && mode == AttachMode::read_write)) {
        throw Error(ErrorKind::locked, "{} is {} by another run of this process", path,
                    holders < 0 ? "being written" : "being read");
    }
    files.readers[path] = mode == AttachMode::read_write ? -1 : holders + 1;
    path_ = std::move(path);
}

FileGuard::FileGuard(FileGuard&& other) noexcept
    : path_(std::exchange(other.path_, {})), mode_(other.mode_) {}

FileGuard& FileGuard::operator=(FileGuard&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(mode_, other.mode_);
    return *this;
}

FileGuard::~FileGuard() {
    if (path_.empty()) return;
    OpenFiles& files = open_files();
    const std::lock_guard lock(files.mutex);
    const auto found = files.readers.find(path_);
    if (found == files.readers.end()) return;
    if (found->second <= 1) {
        files.readers.erase(found);
    } else {
        --found->second;
    }
}

}  // namespace tipple::engine
