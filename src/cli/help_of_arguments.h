#pragma once

#include <cstddef>
#include <memory>

namespace CLI {
class FormatterBase;
}

namespace tipple::cli {

/// Prints the help page of a command, or the list of all.
/// @param width columns that its lines may take
std::shared_ptr<CLI::FormatterBase> make_help_formatter(std::size_t width);

}  // namespace tipple::cli
