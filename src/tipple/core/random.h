#pragma once

#include <cstddef>
#include <string>

namespace tipple {

/// `length` bytes from the operating system's generator.
std::string random_bytes(std::size_t length);

/// A random text of `length` characters of the base64 alphabet (6 bits each).
std::string random_id(std::size_t length);

}  // namespace tipple
