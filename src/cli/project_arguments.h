#pragma once

#include <memory>
#include <optional>

#include "cli/arguments.h"

namespace CLI {
class App;
}

namespace tipple::cli {

/// The commands around projects, their runs and what they remember. Needs the library's types, so only arguments.cpp includes this.
class ProjectCommands {
public:
    /// Adds them to `app`, which outlives this.
    explicit ProjectCommands(CLI::App& app);
    ~ProjectCommands();
    ProjectCommands(const ProjectCommands&) = delete;
    ProjectCommands& operator=(const ProjectCommands&) = delete;

    /// The one that was given, or nothing. Throws the library's error for arguments that do not fit together.
    std::optional<Command> parsed() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tipple::cli
