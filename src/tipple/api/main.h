#pragma once

#include <string>
#include <vector>

#include "tipple/api/source.h"
#include "tipple/config/option_spec.h"
#include "tipple/destination/destination.h"

namespace tipple {

/// A source that a program brings along.
struct NamedSource {
    /// By which the command line and project files call it.
    std::string name;
    SourceFunction make;
    /// A sentence for `help`.
    std::string summary = {};
    /// With these, options are checked before `make` is called, and `help` lists them. None: whatever is given is handed over.
    std::vector<config::OptionSpec> options = {};
};

/// What a registry of sources knows it by.
extract::SourceEntry source_entry(NamedSource source);

/// The whole command line of tipple, with sources and destinations of the program's own: `return tipple::tipple_main(argc, argv, {{"shop", shop}});`. Returns the exit
/// code and throws nothing.
int tipple_main(int argc, const char* const* argv, const std::vector<NamedSource>& sources, const std::vector<destination::DestinationEntry>& destinations = {});

}  // namespace tipple
