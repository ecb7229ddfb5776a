// A library that is preloaded into a program (LD_PRELOAD) and counts every call by which it changes something that lasts: a file on disk
// or what the other end of a connection sees. At call N it kills the program, or makes the call fail. The database libraries' own calls are
// among them. What it does is told by a file of `Control` that TIPPLE_KILLPOINT names; the file is shared, so that what was counted outlives the program.
//
// Built by tests/fault/CMakeLists.txt, driven by tests/fault/killpoint.py.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

enum class Action : std::uint32_t { count, kill, fail_once, fail_from, shorten };
enum class Where : std::uint32_t { before, middle, after };

constexpr std::size_t calls_max = 65'536;

/// Shared with tests/fault/killpoint.py, which knows the layout.
struct Control {
    Action action;
    Where where;
    std::uint64_t at;  ///< the first call is number 1
    std::int32_t error_number;
    std::uint32_t unused;
    std::atomic<std::uint64_t> calls;
    /// Of each call, a letter that says which it was.
    char letters[calls_max];
};

Control* map_control() {
    const char* path = std::getenv("TIPPLE_KILLPOINT");
    if (path == nullptr) return nullptr;
    const int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC));
    if (fd < 0) return nullptr;
    void* memory = mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    return memory == MAP_FAILED ? nullptr : static_cast<Control*>(memory);
}

Control* control() {
    static Control* const mapped = map_control();
    return mapped;
}

template <typename Function>
Function next(const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

[[noreturn]] void die() {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

bool lasts(int fd) {
    struct stat status;
    const int saved = errno;
    const bool known = fstat(fd, &status) == 0;
    errno = saved;
    return known && (S_ISREG(status.st_mode) || S_ISSOCK(status.st_mode) || S_ISDIR(status.st_mode));
}

/// What is to happen to this call.
struct Verdict {
    bool kills_before = false;
    bool kills_middle = false;
    bool kills_after = false;
    bool fails = false;
    bool is_shortened = false;
};

Verdict judge(char letter) {
    Control* const shared = control();
    if (shared == nullptr) return {};
    const std::uint64_t number = shared->calls.fetch_add(1) + 1;
    if (number <= calls_max) shared->letters[number - 1] = letter;
    const bool is_it = number == shared->at;
    Verdict verdict;
    switch (shared->action) {
        case Action::count:
            break;
        case Action::kill:
            verdict.kills_before = is_it && shared->where == Where::before;
            verdict.kills_middle = is_it && shared->where == Where::middle;
            verdict.kills_after = is_it && shared->where == Where::after;
            break;
        case Action::fail_once:
            verdict.fails = is_it;
            break;
        case Action::fail_from:
            verdict.fails = number >= shared->at;
            break;
        case Action::shorten:
            verdict.is_shortened = is_it;
            break;
    }
    return verdict;
}

/// A call that has no middle.
template <typename Result, typename Call>
Result whole_call(char letter, Result failure, Call call) {
    const Verdict verdict = judge(letter);
    if (verdict.kills_before || verdict.kills_middle) die();
    if (verdict.fails) {
        errno = control()->error_number;
        return failure;
    }
    const Result result = call();
    if (verdict.kills_after) die();
    return result;
}

/// A call that hands over bytes: in its middle, half of them are gone.
template <typename Call>
ssize_t byte_call(char letter, std::size_t bytes, Call call) {
    const Verdict verdict = judge(letter);
    if (verdict.kills_before) die();
    if (verdict.fails) {
        errno = control()->error_number;
        return -1;
    }
    if (verdict.kills_middle) {
        if (bytes > 1) call(bytes / 2);
        die();
    }
    const ssize_t result = call(verdict.is_shortened && bytes > 1 ? bytes / 2 : bytes);
    if (verdict.kills_after) die();
    return result;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, std::size_t bytes) {
    static const auto real = next<ssize_t (*)(int, const void*, std::size_t)>("write");
    if (fd <= STDERR_FILENO || !lasts(fd)) return real(fd, data, bytes);
    return byte_call('w', bytes, [&](std::size_t count) { return real(fd, data, count); });
}

ssize_t pwrite(int fd, const void* data, std::size_t bytes, off_t offset) {
    static const auto real = next<ssize_t (*)(int, const void*, std::size_t, off_t)>("pwrite");
    return byte_call('p', bytes, [&](std::size_t count) { return real(fd, data, count, offset); });
}

ssize_t pwrite64(int fd, const void* data, std::size_t bytes, off64_t offset) {
    static const auto real = next<ssize_t (*)(int, const void*, std::size_t, off64_t)>("pwrite64");
    return byte_call('p', bytes, [&](std::size_t count) { return real(fd, data, count, offset); });
}

ssize_t send(int socket, const void* data, std::size_t bytes, int flags) {
    static const auto real = next<ssize_t (*)(int, const void*, std::size_t, int)>("send");
    const ssize_t sent = byte_call('s', bytes, [&](std::size_t count) { return real(socket, data, count, flags); });
    // Who is told that a connection was reset cannot read from it either; libpq relies on that.
    if (sent < 0 && errno == ECONNRESET) {
        shutdown(socket, SHUT_RDWR);
        errno = ECONNRESET;
    }
    return sent;
}

int fsync(int fd) {
    static const auto real = next<int (*)(int)>("fsync");
    return whole_call('f', -1, [&] { return real(fd); });
}

int fdatasync(int fd) {
    static const auto real = next<int (*)(int)>("fdatasync");
    return whole_call('d', -1, [&] { return real(fd); });
}

int ftruncate(int fd, off_t length) {
    static const auto real = next<int (*)(int, off_t)>("ftruncate");
    return whole_call('t', -1, [&] { return real(fd, length); });
}

int rename(const char* from, const char* to) {
    static const auto real = next<int (*)(const char*, const char*)>("rename");
    return whole_call('r', -1, [&] { return real(from, to); });
}

int unlink(const char* path) {
    static const auto real = next<int (*)(const char*)>("unlink");
    return whole_call('u', -1, [&] { return real(path); });
}

int remove(const char* path) {
    static const auto real = next<int (*)(const char*)>("remove");
    return whole_call('u', -1, [&] { return real(path); });
}

}  // extern "C"
