#include "tipple/sources/csv/header.h"

#include <set>

#include "tipple/core/text.h"

#include <fmt/format.h>

namespace tipple::sources::csv {

std::vector<std::string> plain_names(std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) names.push_back(fmt::format("column{}", i));
    return names;
}

std::vector<std::string> column_names(std::vector<std::string> header) {
    std::set<std::string> taken;
    for (std::size_t i = 0; i < header.size(); ++i) {
        std::string& name = header[i];
        const std::size_t start = name.find_first_not_of(" \t");
        name = start == std::string::npos ? fmt::format("column{}", i) : name.substr(start, name.find_last_not_of(" \t") - start + 1);
        const std::string plain = name;
        for (int number = 1; !taken.insert(lower(name)).second; ++number) name = fmt::format("{}_{}", plain, number);
    }
    return header;
}

}  // namespace tipple::sources::csv
