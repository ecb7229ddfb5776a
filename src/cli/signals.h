#pragma once

#include <atomic>
#include <functional>
#include <stop_token>
#include <thread>

namespace tipple::cli {

/// Turns SIGINT, SIGTERM and the end of a time into a stop request: the first lets the run end in order, the second ends the process at once, which is safe at
/// any moment. Made before any other thread, so that all of them leave the signals to this one.
class SignalWatch {
public:
    /// `on_first` is called on the watch's own thread.
    explicit SignalWatch(std::function<void(int)> on_first);
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

    /// The first signal will be SIGALRM after so long, if none comes before.
    void stop_after(double seconds);

    std::stop_token token() const { return stop_.get_token(); }
    /// The signal that came, or 0.
    int received() const { return received_; }

private:
    void watch();

    std::function<void(int)> on_first_;
    std::stop_source stop_;
    std::atomic<int> received_{0};
    std::atomic<bool> is_ending_{false};
    std::thread thread_;
};

}  // namespace tipple::cli
