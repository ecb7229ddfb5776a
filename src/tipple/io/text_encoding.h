#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tipple/io/decompress.h"

namespace tipple::io {

/// A text in another encoding as UTF-8, converted on the way. `encoding`: a name that iconv knows; empty = UTF-8, or what a byte order mark of UTF-16
/// or UTF-32 says. UTF-8 is handed through as it is, marks and errors included, and so is a Parquet file. `read` throws Error(data) for bytes that the
/// encoding does not have: it names the first one, by its place in the decompressed input, and what to do. Throws Error(usage) for an encoding that is not known.
std::unique_ptr<InputStream> decode_text(std::unique_ptr<InputStream> input, std::string_view encoding);

/// `input` with bytes before it that were read already.
std::unique_ptr<InputStream> put_back(std::string bytes, std::unique_ptr<InputStream> input);

/// Throws Error(usage) for a name that is no encoding.
void check_encoding(std::string_view encoding);

}  // namespace tipple::io
