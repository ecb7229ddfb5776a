#pragma once

#include <memory>
#include <string>

#include "cli/arguments.h"
#include "cli/terminal.h"
#include "tipple/core/clock.h"
#include "tipple/pipeline/observer.h"

namespace tipple::cli {

/// Whose progress it is.
struct ViewOptions {
    /// In JSON events, where they are not empty.
    std::string run = {};
    std::string pipeline = {};
    /// Other pipelines run at the same time: lines begin with the pipeline's name, and there is no bar.
    bool is_among_others = false;
};

/// Shows a run's progress on stderr: a bar on a terminal, a line every ten seconds elsewhere, or JSON events on stdout.
std::unique_ptr<pipeline::Observer> make_progress_view(const GlobalArguments& global, const Terminal& terminal, const Clock& clock, const ViewOptions& options = {});

/// One bar, without the line's end: `extract  events  [=====     ] 48%  312 MB  201k records  89 MB/s  ETA 12 s`.
std::string format_bar(const pipeline::Progress& progress, const Terminal& terminal);

}  // namespace tipple::cli
