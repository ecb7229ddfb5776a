#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tipple/core/error.h"
#include "tipple/io/file_system.h"

namespace tipple::io {

namespace {

/// Small writes are collected; a write of at least this size goes to the kernel as it is.
constexpr std::size_t write_buffer_bytes = std::size_t{256} << 10;
/// More than this in one system call is cut by the kernel anyway.
constexpr std::size_t transfer_bytes_max = std::size_t{1} << 30;

/// Repeats a call that a signal interrupted.
template <typename Call>
auto retried(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

const char* remedy(int error_number) {
    switch (error_number) {
        case EACCES:
        case EPERM:
            return "; check its permissions and those of the folders above it";
        case EROFS:
            return "; choose a folder on a disk that can be written";
        case EMFILE:
        case ENFILE:
            return "; raise the limit of open files (ulimit -n)";
        case ENAMETOOLONG:
            return "; choose a shorter path";
        case EIO:
            return "; the disk may be failing, see the system's log";
        default:
            return "";
    }
}

/// `operation` is what we tried, as in "cannot <operation> "path"".
Error failure(std::string_view operation, std::string_view path, int error_number) {
    if (error_number == ENOSPC || error_number == EDQUOT) {
        return Error(ErrorKind::local, "disk full: cannot {} \"{}\" ({}); free some space",
                     operation, path, errno_text(error_number));
    }
    return Error(ErrorKind::local, "cannot {} \"{}\": {}{}", operation, path,
                 errno_text(error_number), remedy(error_number));
}

/// A path for the kernel, which would silently end it at a zero byte.
const char* c_path(const std::string& path) {
    if (path.find('\0') != std::string::npos) {
        throw Error(ErrorKind::usage, "the path \"{}\" has a zero byte in it",
                    path.substr(0, path.find('\0')));
    }
    if (path.empty()) throw Error(ErrorKind::usage, "an empty path was given");
    return path.c_str();
}

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor() { close(); }

    int get() const { return number_; }
    bool is_open() const { return number_ >= 0; }
    /// 0 or the errno. Never repeated: after EINTR Linux has closed the descriptor, and another
    /// thread may have its number already.
    int close() {
        if (number_ < 0) return 0;
        const int result = ::close(std::exchange(number_, -1));
        return result == 0 || errno == EINTR ? 0 : errno;
    }

private:
    int number_;
};

std::int64_t modified_ns(const struct stat& status) {
    return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

std::size_t read_some(int descriptor, char* out, std::size_t length, const std::string& path) {
    const ssize_t got =
        retried([&] { return ::read(descriptor, out, std::min(length, transfer_bytes_max)); });
    if (got < 0) throw failure("read", path, errno);
    return static_cast<std::size_t>(got);
}

bool wait_for_input(int descriptor, std::chrono::milliseconds wait) {
    pollfd watched{.fd = descriptor, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(wait.count()));
    // An error is told by the read that follows.
    return ready > 0 || (ready < 0 && errno != EINTR);
}

class LocalReadFile final : public ReadFile {
public:
    LocalReadFile(std::string path, Descriptor descriptor, std::uint64_t size, bool may_block)
        : path_(std::move(path)), descriptor_(std::move(descriptor)), size_(size), may_block_(may_block) {}

    bool wait_readable(std::chrono::milliseconds wait) override {
        return !may_block_ || wait_for_input(descriptor_.get(), wait);
    }

    std::size_t read(char* out, std::size_t length) override {
        return read_some(descriptor_.get(), out, length, path_);
    }

    void read_at(std::uint64_t offset, char* out, std::size_t length) override {
        std::size_t filled = 0;
        while (filled < length) {
            const ssize_t got = retried([&] {
                return ::pread(descriptor_.get(), out + filled,
                               std::min(length - filled, transfer_bytes_max),
                               static_cast<off_t>(offset + filled));
            });
            if (got < 0) throw failure("read", path_, errno);
            if (got == 0) {
                throw Error(ErrorKind::corrupt, "\"{}\" ends after {} bytes, expected at least {}",
                            path_, offset + filled, offset + length);
            }
            filled += static_cast<std::size_t>(got);
        }
    }

    std::uint64_t size() const override { return size_; }
    const std::string& path() const override { return path_; }

private:
    std::string path_;
    Descriptor descriptor_;
    std::uint64_t size_;
    bool may_block_;
};

/// File descriptor 0, which stays open.
class StandardInput final : public ReadFile {
public:
    bool wait_readable(std::chrono::milliseconds wait) override {
        return wait_for_input(STDIN_FILENO, wait);
    }
    std::size_t read(char* out, std::size_t length) override {
        return read_some(STDIN_FILENO, out, length, path_);
    }
    void read_at(std::uint64_t, char*, std::size_t) override {
        throw Error(ErrorKind::usage,
                    "standard input can only be read from start to end; "
                    "save it to a file first");
    }
    std::uint64_t size() const override { return 0; }
    const std::string& path() const override { return path_; }

private:
    std::string path_ = "standard input";
};

class LocalWriteFile final : public DiskFile {
public:
    LocalWriteFile(std::string path, Descriptor descriptor, std::uint64_t size)
        : path_(std::move(path)),
          descriptor_(std::move(descriptor)),
          size_(size),
          written_(size),
          writeback_from_(size) {}

    void write(std::string_view bytes) override {
        require_usable();
        size_ += bytes.size();
        if (buffer_.size() + bytes.size() < write_buffer_bytes) {
            buffer_ += bytes;
            return;
        }
        flush();
        if (bytes.size() < write_buffer_bytes) {
            buffer_ = bytes;
        } else {
            write_out(bytes);
        }
    }

    void start_writeback() override {
        require_usable();
        flush();
#ifdef __linux__
        const std::uint64_t length = written_ - writeback_from_;
        if (length == 0) return;
        const int result = retried([&] {
            return ::sync_file_range(descriptor_.get(), static_cast<off64_t>(writeback_from_),
                                     static_cast<off64_t>(length), SYNC_FILE_RANGE_WRITE);
        });
        // Only a hint, so a file system that cannot do it is fine; but what the disk says about our
        // data must not get lost.
        if (result < 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT)) fail("write");
        writeback_from_ = written_;
#endif
    }

    void sync() override {
        require_usable();
        flush();
        // A failed fsync is final: the kernel drops the pages it could not write, and a second
        // fsync would report success.
        if (retried([&] { return ::fsync(descriptor_.get()); }) < 0) fail("sync");
    }

    void truncate(std::uint64_t size) override {
        require_usable();
        TIPPLE_ASSERT(size <= size_);
        flush();
        const auto end = static_cast<off_t>(size);
        if (retried([&] { return ::ftruncate(descriptor_.get(), end); }) < 0) fail("shorten");
        if (::lseek(descriptor_.get(), end, SEEK_SET) < 0) fail("shorten");
        size_ = size;
        written_ = size;
        writeback_from_ = std::min(writeback_from_, size);
    }

    void close() override {
        if (!descriptor_.is_open()) return;
        require_usable();
        flush();
        if (const int error_number = descriptor_.close(); error_number != 0) {
            has_failed_ = true;
            throw failure("close", path_, error_number);
        }
    }

    std::uint64_t size() const override {
        return size_;
    }

private:
    void require_usable() const {
        TIPPLE_ASSERT(descriptor_.is_open());
        if (has_failed_) {
            throw Error(ErrorKind::local, "cannot go on with \"{}\": writing to it failed before",
                        path_);
        }
    }

    [[noreturn]] void fail(std::string_view operation) {
        const int error_number = errno;
        has_failed_ = true;
        throw failure(operation, path_, error_number);
    }

    void flush() {
        write_out(buffer_);
        buffer_.clear();
    }

    void write_out(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t put = retried([&] {
                return ::write(descriptor_.get(), bytes.data(),
                               std::min(bytes.size(), transfer_bytes_max));
            });
            if (put < 0) fail("write");
            written_ += static_cast<std::uint64_t>(put);
            bytes.remove_prefix(static_cast<std::size_t>(put));
        }
    }

    std::string path_;
    Descriptor descriptor_;
    std::string buffer_;
    std::uint64_t size_;            ///< with what is still in the buffer
    std::uint64_t written_;         ///< given to the kernel
    std::uint64_t writeback_from_;  ///< behind what is already on its way to the disk
    bool has_failed_ = false;
};

class LocalFileLock final : public FileLock {
public:
    explicit LocalFileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

private:
    Descriptor descriptor_;  ///< closing it releases the lock
};

struct Folder {
    explicit Folder(DIR* open) : stream(open) {}
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        if (stream != nullptr) ::closedir(stream);
    }
    DIR* stream;
};

class LocalFileSystem final : public FileSystem {
public:
    std::unique_ptr<ReadFile> open_read(const std::string& path) override {
        // Opening a pipe would wait until somebody opens it to write; reading it can be given up.
        Descriptor descriptor(
            retried([&] { return ::open(c_path(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
        if (!descriptor.is_open()) {
            if (errno == ENOENT || errno == ENOTDIR) {
                throw Error(ErrorKind::usage, "\"{}\" does not exist", path);
            }
            throw failure("open", path, errno);
        }
        struct stat status = {};
        if (::fstat(descriptor.get(), &status) < 0) throw failure("open", path, errno);
        if (S_ISDIR(status.st_mode)) {
            throw Error(ErrorKind::usage, "\"{}\" is a folder, not a file", path);
        }
        const bool is_file = S_ISREG(status.st_mode);
        if (!is_file && ::fcntl(descriptor.get(), F_SETFL, 0) < 0) throw failure("open", path, errno);
#ifdef POSIX_FADV_SEQUENTIAL
        if (is_file) ::posix_fadvise(descriptor.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
        return std::make_unique<LocalReadFile>(
            path, std::move(descriptor), is_file ? static_cast<std::uint64_t>(status.st_size) : 0,
            !is_file);
    }

    std::unique_ptr<DiskFile> create(const std::string& path) override {
        return open_write(path, "create", O_TRUNC);
    }

    std::unique_ptr<DiskFile> open_append(const std::string& path) override {
        return open_write(path, "append to", O_APPEND);
    }

    std::unique_ptr<FileInfo> find(const std::string& path) override {
        FileInfo info;
        if (!read_info(path, info)) return nullptr;
        return std::make_unique<FileInfo>(std::move(info));
    }

    std::vector<FileInfo> list(const std::string& folder) override {
        std::vector<FileInfo> entries;
        const Folder open(::opendir(c_path(folder)));
        if (open.stream == nullptr) {
            if (errno == ENOENT || errno == ENOTDIR) return entries;
            throw failure("list", folder, errno);
        }
        for (;;) {
            errno = 0;
            const dirent* entry = ::readdir(open.stream);
            if (entry == nullptr) break;
            const std::string_view name = entry->d_name;
            if (name == "." || name == "..") continue;
            FileInfo info;
            // An entry that vanished in between is no error: it is simply not there any more.
            if (read_info(join_path(folder, name), info)) entries.push_back(std::move(info));
        }
        if (errno != 0) throw failure("list", folder, errno);
        std::sort(entries.begin(), entries.end(),
                  [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
        return entries;
    }

    void create_folders(const std::string& folder) override {
        if (::mkdir(c_path(folder), 0777) == 0) return;
        if (errno == ENOENT) {
            const std::string parent = parent_folder(folder);
            if (parent == folder) throw failure("create the folder", folder, ENOENT);
            create_folders(parent);
            if (::mkdir(folder.c_str(), 0777) == 0) return;
        }
        const int error_number = errno;
        struct stat status = {};
        if (error_number == EEXIST && ::stat(folder.c_str(), &status) == 0 &&
            S_ISDIR(status.st_mode)) {
            return;
        }
        throw failure("create the folder", folder, error_number);
    }

    void rename(const std::string& from, const std::string& to) override {
        if (retried([&] { return ::rename(c_path(from), c_path(to)); }) < 0) {
            const int error_number = errno;
            throw failure(fmt::format("rename \"{}\" to", from), to, error_number);
        }
    }

    void remove(const std::string& path) override {
        // The library's function follows no symbolic links and is safe against folders exchanged
        // meanwhile.
        std::error_code error;
        std::filesystem::remove_all(c_path(path), error);
        if (error) throw failure("remove", path, error.value());
    }

    void sync_folder(const std::string& folder) override {
        const Descriptor descriptor(
            retried([&] { return ::open(c_path(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
        if (!descriptor.is_open()) throw failure("open the folder", folder, errno);
        // Some network file systems cannot sync folders and keep them in order by themselves.
        if (retried([&] { return ::fsync(descriptor.get()); }) < 0 && errno != EINVAL &&
            errno != ENOTSUP) {
            throw failure("sync the folder", folder, errno);
        }
    }

    std::uint64_t free_bytes(const std::string& path) override {
        // The path may be one that is yet to be made: what counts is the disk it will be on.
        std::string existing = path;
        struct statvfs status = {};
        while (retried([&] { return ::statvfs(c_path(existing), &status); }) < 0) {
            const int error_number = errno;
            std::string parent = parent_folder(existing);
            if (error_number != ENOENT || parent == existing) {
                throw failure("find the free space of", path, error_number);
            }
            existing = std::move(parent);
        }
        return std::uint64_t{status.f_bavail} * status.f_frsize;
    }

    std::unique_ptr<FileLock> try_lock(const std::string& path, std::string_view note) override {
        Descriptor descriptor(
            retried([&] { return ::open(c_path(path), O_RDWR | O_CREAT | O_CLOEXEC, 0666); }));
        if (!descriptor.is_open()) throw failure("open the lock file", path, errno);
        if (retried([&] { return ::flock(descriptor.get(), LOCK_EX | LOCK_NB); }) < 0) {
            if (errno == EWOULDBLOCK) return nullptr;
            throw failure("lock", path, errno);
        }
        // The note is for people; a disk too full to hold it must not keep anyone from finishing a
        // load.
        if (::ftruncate(descriptor.get(), 0) == 0) {
            [[maybe_unused]] const ssize_t put =
                ::pwrite(descriptor.get(), note.data(), note.size(), 0);
        }
        return std::make_unique<LocalFileLock>(std::move(descriptor));
    }

private:
    static std::unique_ptr<DiskFile> open_write(const std::string& path,
                                                std::string_view operation, int flags) {
        Descriptor descriptor(retried(
            [&] { return ::open(c_path(path), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666); }));
        if (!descriptor.is_open()) throw failure(operation, path, errno);
        struct stat status = {};
        if (::fstat(descriptor.get(), &status) < 0) throw failure(operation, path, errno);
        return std::make_unique<LocalWriteFile>(path, std::move(descriptor),
                                                static_cast<std::uint64_t>(status.st_size));
    }

    /// False when there is no such path. A link to nothing is listed as itself, so that opening it
    /// tells the user.
    static bool read_info(const std::string& path, FileInfo& info) {
        struct stat status = {};
        if (::lstat(c_path(path), &status) < 0) {
            if (errno == ENOENT || errno == ENOTDIR) return false;
            throw failure("look at", path, errno);
        }
        info.is_link = S_ISLNK(status.st_mode);
        if (info.is_link) {
            struct stat target = {};
            if (::stat(path.c_str(), &target) == 0) status = target;
        }
        info.path = path;
        info.is_directory = S_ISDIR(status.st_mode);
        info.size = S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0;
        info.modified_ns = modified_ns(status);
        return true;
    }
};

}  // namespace

std::unique_ptr<FileSystem> local_file_system() {
    return std::make_unique<LocalFileSystem>();
}

std::unique_ptr<ReadFile> open_standard_input() {
    return std::make_unique<StandardInput>();
}

}  // namespace tipple::io
