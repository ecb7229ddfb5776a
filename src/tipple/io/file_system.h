#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tipple::io {

/// A file being read. One thread at a time, except `read_at`, which any thread may call. Closed by the destructor.
class ReadFile {
public:
    virtual ~ReadFile() = default;
    /// Up to `length` bytes from the current position; 0 only at the end. Throws Error(local).
    virtual std::size_t read(char* out, std::size_t length) = 0;
    /// Waits so long for a `read` that returns at once. False when it still would not: somebody else has yet to write.
    virtual bool wait_readable(std::chrono::milliseconds) { return true; }
    /// Exactly `length` bytes from `offset`. Throws Error(local), or Error(corrupt) when the file is shorter.
    virtual void read_at(std::uint64_t offset, char* out, std::size_t length) = 0;
    /// Bytes of the file when it was opened; 0 when that cannot be known (a pipe).
    virtual std::uint64_t size() const = 0;
    virtual const std::string& path() const = 0;
};

/// A file being written, from the start. Nothing is promised to be on disk before `sync` returns. The destructor closes without a word:
/// a file that matters is closed by `close`.
class WriteFile {
public:
    virtual ~WriteFile() = default;
    virtual void write(std::string_view bytes) = 0;
    /// Starts writing what was written so far to the disk and does not wait, so that a later `sync` is short. A hint.
    virtual void start_writeback() = 0;
    virtual void sync() = 0;
    /// Takes away all behind the first `size` bytes, which are no more than there are; what is written next follows them. For files of this machine; others
    /// throw Error(local).
    virtual void truncate(std::uint64_t size);
    virtual void close() = 0;
    virtual std::uint64_t size() const = 0;
};

struct FileInfo {
    std::string path;
    bool is_directory = false;
    bool is_link = false;  ///< a symbolic link; the other members are those of what it points to, when that exists
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;  ///< since 1970
};

/// What to do about a lock that somebody else holds.
enum class LockMode { wait, try_once };

/// An exclusive lock on a file, held by this process until destruction; the kernel lets go of it when the process dies.
class FileLock {
public:
    virtual ~FileLock() = default;
};

/// The outside world of files. Errors: Error(local) with path, operation and reason (disk full, permission, …), Error(usage) when a
/// path to be read does not exist: a user gave it. Thread-safe.
class FileSystem {
public:
    virtual ~FileSystem() = default;
    virtual std::unique_ptr<ReadFile> open_read(const std::string& path) = 0;
    /// Creates or empties the file.
    virtual std::unique_ptr<WriteFile> create(const std::string& path) = 0;
    /// Opens for appending, creating it when missing.
    virtual std::unique_ptr<WriteFile> open_append(const std::string& path) = 0;
    /// Nothing when there is no such path.
    virtual std::unique_ptr<FileInfo> find(const std::string& path) = 0;
    /// Entries of a folder, sorted by path; empty when it does not exist.
    virtual std::vector<FileInfo> list(const std::string& folder) = 0;
    /// With all parents; fine when it exists.
    virtual void create_folders(const std::string& folder) = 0;
    /// Atomic on one file system; replaces a file.
    virtual void rename(const std::string& from, const std::string& to) = 0;
    /// File or whole folder; fine when it is not there.
    virtual void remove(const std::string& path) = 0;
    /// Makes renames and creations inside `folder` durable.
    virtual void sync_folder(const std::string& folder) = 0;
    /// Bytes that can still be written below `path`.
    virtual std::uint64_t free_bytes(const std::string& path) = 0;
    /// Nothing when someone else holds it. `note` is written into the file for people to read.
    virtual std::unique_ptr<FileLock> try_lock(const std::string& path, std::string_view note) = 0;

    /// The whole file as text; for small ones.
    std::string read_text(const std::string& path);
    /// A folder with all that is in it, links followed. `to` must not exist.
    void copy_folder(const std::string& from, const std::string& to);
    /// Write to a temporary name (`<path>.new`), sync, rename, sync the folder: readers see the old file or the whole new one. One
    /// writer per path at a time.
    void write_text_durably(const std::string& path, std::string_view text);
};

/// The disks of this machine.
std::unique_ptr<FileSystem> local_file_system();

/// Standard input, read from where it is; `read_at` is not for it. Its path is "standard input".
std::unique_ptr<ReadFile> open_standard_input();

/// `folder/name`, without doubling the slash.
std::string join_path(std::string_view folder, std::string_view name);
/// The last part of a path, and what is before it: `.` when there is nothing, `/` for what lies in the root.
std::string file_name(std::string_view path);
std::string parent_folder(std::string_view path);

}  // namespace tipple::io
