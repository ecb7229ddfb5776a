#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "tipple/pipeline/source_state.h"

namespace tipple::pipeline {

/// What a resource sees of its source's memory while others read at the same time: copies of what
/// resources remember, which are saved when it has ended, and the source's own under a lock.
class ParallelState final : public extract::State {
public:
    /// Both outlive this. `mutex` guards `shared`.
    ParallelState(SourceState& shared, std::mutex& mutex, std::string resource)
        : shared_(shared), mutex_(mutex), resource_(std::move(resource)) {}

    json::Object& resource() override { return resource(resource_); }
    json::Object& resource(std::string_view name) override;
    json::Object& source() override { return shared_.document(); }
    const json::Object& source() const override { return shared_.document(); }
    std::unique_lock<std::mutex> lock_source() const override { return std::unique_lock(mutex_); }
    const json::Object* find_resource(std::string_view name) const override;

    /// Puts what was changed where the source remembers it. The read has ended, and `mutex` is
    /// held.
    void save();

private:
    struct Copy {
        /// Nothing = it remembered nothing.
        std::optional<json::Object> document;
        bool may_have_changed = false;
    };
    Copy& copy_of(std::string_view name) const;

    SourceState& shared_;
    std::mutex& mutex_;
    std::string resource_;
    mutable std::map<std::string, Copy, std::less<>> copies_;
};

}  // namespace tipple::pipeline
