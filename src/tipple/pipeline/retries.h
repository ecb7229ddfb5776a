#pragma once

#include <algorithm>
#include <optional>

#include "tipple/core/error.h"

namespace tipple::pipeline {

/// When to try again after an error that may pass. Waits double from half a second up to ten, each with jitter, so that several programs do not try again at
/// the same moment; together they are no longer than the budget. What is not known to pass is not tried again.
class Retries {
public:
    explicit Retries(double budget_seconds) : left_seconds_(std::max(budget_seconds, 0.0)) {}

    /// Seconds to wait before the next attempt, or nothing when this error ends it. A wait that the other side asked for counts as it is.
    std::optional<double> next(const Error& error);
    int attempts() const { return attempts_; }

private:
    double left_seconds_;
    double delay_seconds_ = 0.5;
    int attempts_ = 1;
};

}  // namespace tipple::pipeline
