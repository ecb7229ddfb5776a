#pragma once

#include <string>
#include <string_view>

#include "tipple/core/error.h"

// Private to the module: what the engine says, turned into Error.
namespace tipple::engine {

/// `text` as the engine gives it ("IO Error: …"). The kind of error is told by its first words,
/// which are the same in all versions of the library; codes are not to be had for every call.
/// `library` is the running version.
Error to_error(std::string_view text, std::string_view library);

}  // namespace tipple::engine
