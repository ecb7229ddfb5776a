#pragma once

#include <cstdlib>
#include <functional>

#include <sys/wait.h>
#include <unistd.h>

namespace tipple::support {

/// A second process that runs `body` until this object dies. The constructor returns once the body
/// has raised `ready`.
class ChildProcess {
public:
    class Signal {
    public:
        explicit Signal(int descriptor) : descriptor_(descriptor) {}
        void raise() const {
            if (write(descriptor_, "x", 1) != 1) std::abort();
        }
        /// False when the other process ended, or let go, without raising it.
        bool wait() const {
            char byte = 0;
            ssize_t count = 0;
            while ((count = read(descriptor_, &byte, 1)) < 0) {
            }
            return count == 1;
        }

    private:
        int descriptor_;
    };

    explicit ChildProcess(const std::function<void(Signal ready, Signal done)>& body) {
        if (pipe(ready_) != 0 || pipe(done_) != 0) std::abort();
        id_ = fork();
        if (id_ == 0) {
            close(ready_[0]);
            close(done_[1]);
            // Nothing of the test program may run on in this process.
            try {
                body(Signal(ready_[1]), Signal(done_[0]));
            } catch (...) {
                _exit(1);
            }
            _exit(0);
        }
        close(ready_[1]);
        close(done_[0]);
        was_ready_ = Signal(ready_[0]).wait();
    }
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    ~ChildProcess() { finish(); }

    pid_t id() const { return id_; }
    /// Whether the body raised `ready` before it ended.
    bool was_ready() const { return was_ready_; }
    /// Whether the process is no more, without waiting for it.
    bool has_ended() const {
        siginfo_t info{};
        return waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               info.si_pid == id_;
    }
    /// Lets the body end, and waits for it.
    void finish() {
        if (id_ == 0) return;
        close(done_[1]);
        waitpid(id_, nullptr, 0);
        close(ready_[0]);
        id_ = 0;
    }

private:
    int ready_[2] = {};
    int done_[2] = {};
    pid_t id_ = 0;
    bool was_ready_ = false;
};

}  // namespace tipple::support
