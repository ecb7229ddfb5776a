#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tipple/io/http_client.h"

/// What the head of an answer says of the object it is about.
namespace tipple::io {

/// Of the object; nothing when the answer does not say, and of a body that is encoded on the way, which has another length.
std::optional<std::uint64_t> content_length_of(const HttpResponse& head);

/// `bytes 0-99/1000`; `*` in place of the range where none is sent, or of a size that the server does not know.
struct ContentRange {
    std::optional<std::uint64_t> from;
    std::optional<std::uint64_t> size;
};
/// Nothing when there is none.
std::optional<ContentRange> content_range_of(const HttpResponse& head);

/// An ETag without its quotes, which cannot be part of it: `v1`, or `W/v1` of a weak one.
std::string without_quotes(std::string etag);
/// Whether it says only that two versions are as good as each other, so that parts of them do not fit together.
bool is_weak_etag(std::string_view etag);

}  // namespace tipple::io
