#include "tipple/schema/types.h"

#include <array>

namespace tipple::schema {

namespace {

constexpr std::array<std::string_view, data_type_count> data_type_names = {
    "text", "bigint", "double", "bool", "timestamp", "date", "time", "decimal", "wei", "binary", "json"};
constexpr std::array<std::string_view, 4> disposition_names = {"append", "replace", "merge", "skip"};

}  // namespace

std::string_view to_text(DataType type) { return data_type_names[static_cast<std::size_t>(type)]; }

std::optional<DataType> find_data_type(std::string_view name) {
    for (std::size_t i = 0; i < data_type_names.size(); ++i) {
        if (data_type_names[i] == name) return static_cast<DataType>(i);
    }
    if (name == "complex") return DataType::json;
    return std::nullopt;
}

std::string_view to_text(Disposition disposition) {
    return disposition_names[static_cast<std::size_t>(disposition)];
}

std::optional<Disposition> find_disposition(std::string_view name) {
    for (std::size_t i = 0; i < disposition_names.size(); ++i) {
        if (disposition_names[i] == name) return static_cast<Disposition>(i);
    }
    return std::nullopt;
}

std::string_view origin_of_variant(std::string_view name) {
    const std::size_t mark = name.rfind("__v_");
    return mark == std::string_view::npos ? std::string_view() : name.substr(0, mark);
}

}  // namespace tipple::schema
