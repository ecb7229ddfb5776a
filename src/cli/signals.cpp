#include "cli/signals.h"

#include <pthread.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "cli/exit_code.h"

namespace tipple::cli {

namespace {

sigset_t watched_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    // The time given to `stop_after` is up.
    sigaddset(&set, SIGALRM);
    // Wakes the watch when it is to end.
    sigaddset(&set, SIGUSR2);
    return set;
}

}  // namespace

SignalWatch::SignalWatch(std::function<void(int)> on_first) : on_first_(std::move(on_first)) {
    const sigset_t set = watched_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    // A reader that went away ends the output, not the load.
    std::signal(SIGPIPE, SIG_IGN);
    // A file that grows beyond the process's limit is an error like a full disk, not the end of the process.
    std::signal(SIGXFSZ, SIG_IGN);
    thread_ = std::thread([this] { watch(); });
}

SignalWatch::~SignalWatch() {
    is_ending_ = true;
    pthread_kill(thread_.native_handle(), SIGUSR2);
    thread_.join();
}

void SignalWatch::stop_after(double seconds) {
    const auto whole = static_cast<time_t>(seconds);
    const itimerval timer{.it_interval = {}, .it_value = {.tv_sec = whole, .tv_usec = static_cast<suseconds_t>((seconds - static_cast<double>(whole)) * 1e6)}};
    setitimer(ITIMER_REAL, &timer, nullptr);
}

void SignalWatch::watch() {
    const sigset_t set = watched_signals();
    while (!is_ending_) {
        int signal = 0;
        if (sigwait(&set, &signal) != 0 || signal == SIGUSR2) continue;
        if (received_ != 0 && signal == SIGALRM) continue;
        if (received_ != 0) _exit(signal == SIGINT ? exit_interrupted : exit_terminated);
        received_ = signal;
        on_first_(signal);
        stop_.request_stop();
    }
}

}  // namespace tipple::cli
