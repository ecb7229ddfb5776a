#include "tipple/io/http_headers.h"

#include <algorithm>
#include <charconv>

#include "tipple/core/text.h"

namespace tipple::io {

namespace {

std::optional<std::uint64_t> to_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

std::optional<std::uint64_t> content_length_of(const HttpResponse& head) {
    const std::string* encoding = find_header(head.headers, "Content-Encoding");
    const std::string* length = find_header(head.headers, "Content-Length");
    if (length == nullptr || (encoding != nullptr && !encoding->empty())) return std::nullopt;
    return to_number(*length);
}

std::optional<ContentRange> content_range_of(const HttpResponse& head) {
    constexpr std::string_view unit = "bytes ";
    const std::string* text = find_header(head.headers, "Content-Range");
    if (text == nullptr || !lower(*text).starts_with(unit)) return std::nullopt;
    const std::string_view range = std::string_view(*text).substr(unit.size());
    const std::size_t slash = range.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    return ContentRange{.from = to_number(range.substr(0, std::min(range.find('-'), slash))), .size = to_number(range.substr(slash + 1))};
}

std::string without_quotes(std::string etag) {
    std::erase(etag, '"');
    return etag;
}

bool is_weak_etag(std::string_view etag) { return etag.starts_with("W/"); }

}  // namespace tipple::io
