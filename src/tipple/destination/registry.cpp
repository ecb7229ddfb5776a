#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/destination.h"

namespace tipple::destination {

void Destination::read_rows(std::string_view, std::stop_token, const std::function<void(const RowTexts&)>&) {
    throw Error(ErrorKind::usage, "{}: what was loaded cannot be read back", description());
}

namespace {

/// What stands before `://`, in lower case; empty for a plain path.
std::string scheme_of(std::string_view text) {
    const std::size_t end = text.find("://");
    return end == std::string_view::npos ? std::string() : lower(text.substr(0, end));
}

}  // namespace

void Registry::add(DestinationEntry entry) {
    TIPPLE_ASSERT(find(entry.name) == nullptr);
    entries_.push_back(std::move(entry));
}

const DestinationEntry* Registry::find(std::string_view name) const {
    const auto found =
        std::find_if(entries_.begin(), entries_.end(),
                     [&](const DestinationEntry& entry) { return entry.name == name; });
    return found == entries_.end() ? nullptr : &*found;
}

const DestinationEntry& Registry::require_for(std::string_view text) const {
    const std::string scheme = scheme_of(text);
    const std::string path = lower(text);
    std::vector<std::string> schemes;
    std::vector<std::string> endings;
    for (const DestinationEntry& entry : entries_) {
        for (const std::string& known : entry.schemes) {
            if (scheme == known) return entry;
            schemes.push_back(known);
        }
        for (const std::string& known : entry.endings) {
            if (scheme.empty() && path.ends_with(known)) return entry;
            endings.push_back(known);
        }
        const bool is_path = scheme.empty() && (text.starts_with('/') || text.starts_with('.'));
        if (is_path && entry.is_place && entry.is_place(std::string(text))) return entry;
    }
    if (!scheme.empty()) {
        const auto nearest = did_you_mean(scheme, schemes);
        throw Error(ErrorKind::usage,
                    "no kind of destination has URLs that start with {}://{}; known are {}", scheme,
                    nearest ? fmt::format(" (did you mean {}://?)", *nearest) : "",
                    join(schemes, ", "));
    }
    const std::size_t dot = std::min(text.rfind('.'), text.size());
    const auto nearest = did_you_mean(path.substr(dot), endings);
    throw Error(ErrorKind::usage,
                "cannot tell what kind of destination \"{}\" is{}; paths end in {}, URLs start with "
                "{} and ://",
                excerpt(text), nearest ? fmt::format(" (did you mean \"{}{}\"?)", excerpt(text.substr(0, dot)), *nearest) : "", join(endings, ", "),
                join(schemes, ", "));
}

}  // namespace tipple::destination
