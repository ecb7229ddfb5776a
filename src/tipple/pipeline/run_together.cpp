#include "tipple/pipeline/run_together.h"

#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "tipple/core/error.h"

namespace tipple::pipeline {

void run_together(std::vector<extract::Task> tasks, const std::stop_token& stop) {
    std::stop_source group;
    const std::stop_callback forward(stop, [&] { group.request_stop(); });
    std::mutex mutex;
    std::exception_ptr error;
    const auto guarded = [&](const auto& work) {
        try {
            work();
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (error == nullptr) error = std::current_exception();
            group.request_stop();
        }
    };
    const auto run = [&](const extract::Task& task) { guarded([&] { task(group.get_token()); }); };
    {
        std::vector<std::jthread> threads;
        // One that cannot be started stops those that were.
        guarded([&] {
            try {
                for (std::size_t i = 1; i < tasks.size(); ++i)
                    threads.emplace_back([&, i] { run(tasks[i]); });
            } catch (const std::system_error& reason) {
                throw Error(
                    ErrorKind::local,
                    "{} threads cannot be started: {}; let fewer of them read at the same time",
                    tasks.size(), reason.what());
            }
        });
        if (!tasks.empty()) run(tasks.front());
    }
    if (error != nullptr) std::rethrow_exception(error);
}

}  // namespace tipple::pipeline
