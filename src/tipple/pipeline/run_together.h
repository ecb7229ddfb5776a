#pragma once

#include <stop_token>
#include <vector>

#include "tipple/source/source.h"

namespace tipple::pipeline {

/// Runs tasks at the same time, the first one on this thread, and returns when all have ended.
/// Throws what the first one to fail has thrown; the others are told to stop then, or when `stop`
/// is requested. Throws Error(local) when not all threads can be started.
void run_together(std::vector<extract::Task> tasks, const std::stop_token& stop);

}  // namespace tipple::pipeline
