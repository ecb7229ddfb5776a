#pragma once

#include <string>

#include "tipple/engine/engine.h"

// Private to the module.
namespace tipple::engine {

/// Keeps two engines of this process from opening one database file while either writes it. The
/// library locks files with fcntl, and such locks belong to the process: a second engine in it
/// would get the lock as well and both would write, and closing any descriptor of the file would
/// drop the lock of the first. So the process keeps a table of its own. It is the one piece of
/// state that all engines share, because what it guards, the process's file locks, is shared by
/// them too.
class FileGuard {
public:
    FileGuard() = default;
    /// Throws Error(locked) when this process already has the file open in a way that excludes
    /// `mode`. `path` is canonical.
    FileGuard(std::string path, AttachMode mode);
    FileGuard(FileGuard&& other) noexcept;
    FileGuard& operator=(FileGuard&& other) noexcept;
    ~FileGuard();

private:
    std::string path_;  ///< empty = holds nothing
    AttachMode mode_ = AttachMode::read_only;
};

}  // namespace tipple::engine
