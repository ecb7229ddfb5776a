#include "cli/run.h"
#include "tipple/api/main.h"

namespace tipple {

int tipple_main(int argc, const char* const* argv, const std::vector<NamedSource>& sources, const std::vector<destination::DestinationEntry>& destinations) {
    cli::Entries own{.sources = {}, .destinations = destinations};
    for (const NamedSource& source : sources) own.sources.push_back(source_entry(source));
    return cli::run(argc, argv, own);
}

}  // namespace tipple
