#include "tipple/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tipple {

std::string format_count(std::uint64_t count) {
    std::string digits = std::to_string(count);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
    return digits;
}

std::string format_bytes(std::uint64_t bytes) {
    if (bytes < 1000) return fmt::format("{} B", bytes);
    double value = static_cast<double>(bytes);
    const char* unit = "B";
    for (const char* next : {"kB", "MB", "GB", "TB", "PB"}) {
        value /= 1000;
        unit = next;
        if (value < 999.95) break;
    }
    return value < 99.95 ? fmt::format("{:.1f} {}", value, unit)
                         : fmt::format("{:.0f} {}", value, unit);
}

std::string format_seconds(double seconds) {
    if (seconds < 9.995) return fmt::format("{:.2f} s", seconds);
    if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
    const auto whole = static_cast<std::int64_t>(std::llround(seconds));
    if (whole < 3600) return fmt::format("{} m {:02} s", whole / 60, whole % 60);
    return fmt::format("{} h {:02} m", whole / 3600, whole % 3600 / 60);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    const std::string copy(text);
    char* end = nullptr;
    if (copy.empty() || copy[0] < '0' || copy[0] > '9') return std::nullopt;
    const double number = std::strtod(copy.c_str(), &end);
    std::string unit(end);
    unit.erase(std::remove(unit.begin(), unit.end(), ' '), unit.end());
    std::transform(unit.begin(), unit.end(), unit.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    struct Unit {
        const char* name;
        double factor;
    };
    static constexpr Unit units[] = {
        {"", 1},           {"b", 1},
        {"k", 1024},       {"kib", 1024},
        {"kb", 1e3},       {"m", 1048576.0},
        {"mib", 1048576.0}, {"mb", 1e6},
        {"g", 1073741824.0}, {"gib", 1073741824.0},
        {"gb", 1e9},       {"t", 1099511627776.0},
        {"tib", 1099511627776.0}, {"tb", 1e12}};
    for (const Unit& known : units) {
        if (unit != known.name) continue;
        const double bytes = number * known.factor;
        if (!(bytes >= 0 && bytes < 9e18)) return std::nullopt;
        return static_cast<std::uint64_t>(bytes);
    }
    return std::nullopt;
}

std::optional<double> parse_duration_seconds(std::string_view text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || !(number >= 0)) return std::nullopt;
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    constexpr std::array<std::pair<std::string_view, double>, 5> units = {{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}, {"w", 7 * 86'400}}};
    const auto found = std::find_if(units.begin(), units.end(), [&](const auto& known) { return known.first == unit; });
    return found == units.end() ? std::nullopt : std::optional(number * found->second);
}

std::string excerpt(std::string_view text, std::size_t length_max) {
    std::string shown;
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        std::size_t length = 1;
        if (c >= 0xC2 && c <= 0xF4) length = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        std::string piece(text.substr(i, length));
        if (c == '\n') {
            piece = "\\n";
        } else if (c == '\r') {
            piece = "\\r";
        } else if (c == '\t') {
            piece = "\\t";
        } else if (c < 0x20 || c == 0x7F || !is_valid_utf8(piece)) {
            piece = fmt::format("\\x{:02x}", c);
            length = 1;
        }
        if (shown.size() + piece.size() > length_max) return shown + "…";
        shown += piece;
        i += length;
    }
    return shown;
}

std::string without_password(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string_view::npos) return std::string(url);
    const std::size_t start = scheme + 3;
    std::string out(url);
    // Passwords as parameters first, since they stand behind.
    constexpr std::string_view parameter = "password=";
    for (std::size_t at = out.find(parameter, std::min(out.find('?'), out.size())); at != std::string::npos; at = out.find(parameter, at + 1)) {
        const std::size_t value = at + parameter.size();
        out.replace(value, std::min(out.find('&', value), out.size()) - value, "***");
    }
    const std::size_t at = url.substr(0, url.find('?')).rfind('@');
    const std::size_t colon = url.find(':', start);
    if (at != std::string_view::npos && colon < at) out.replace(colon + 1, at - colon - 1, "***");
    return out;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    return fmt::format("{}", fmt::join(parts, separator));
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

bool is_valid_utf8(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size()) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x80) {
            ++i;
            continue;
        }
        const std::size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
        if (c < 0xC2 || c > 0xF4 || i + length > text.size()) return false;
        std::uint32_t code = c & (0xFFU >> (length + 1));
        for (std::size_t k = 1; k < length; ++k) {
            const auto next = static_cast<unsigned char>(text[i + k]);
            if ((next & 0xC0) != 0x80) return false;
            code = (code << 6) | (next & 0x3FU);
        }
        if ((length == 3 && (code < 0x800 || (code >= 0xD800 && code < 0xE000))) ||
            (length == 4 && (code < 0x10000 || code > 0x10FFFF))) {
            return false;
        }
        i += length;
    }
    return true;
}

std::size_t count_lines(std::string_view text) {
    std::size_t lines = 0;
    std::size_t i = 0;
#if defined(__SSE2__)
    // Runs over all JSON lines that are read, so sixteen bytes at a time: each lane counts its own, as far as a byte goes.
    const __m128i feed = _mm_set1_epi8('\n');
    while (i + 16 <= text.size()) {
        const std::size_t end = i + std::min<std::size_t>((text.size() - i) / 16, 255) * 16;
        __m128i counts = _mm_setzero_si128();
        for (; i < end; i += 16) {
            const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
            counts = _mm_sub_epi8(counts, _mm_cmpeq_epi8(bytes, feed));
        }
        const __m128i sums = _mm_sad_epu8(counts, _mm_setzero_si128());
        lines += static_cast<std::size_t>(_mm_cvtsi128_si32(sums) + _mm_cvtsi128_si32(_mm_unpackhi_epi64(sums, sums)));
    }
#endif
    for (; i < text.size(); ++i) lines += text[i] == '\n' ? 1 : 0;
    return lines;
}

std::size_t utf8_length(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

}  // namespace tipple
