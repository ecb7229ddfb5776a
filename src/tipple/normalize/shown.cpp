#include "tipple/normalize/shown.h"

#include <optional>

#include "tipple/core/text.h"
#include "tipple/json/value.h"
#include "tipple/schema/coerce.h"

namespace tipple::normalize {

std::string shown(const schema::Value& value) {
    const std::optional<schema::Value> text = schema::coerce(schema::DataType::text, value);
    return text && text->is<std::string>() ? excerpt(text->as<std::string>()) : "?";
}

std::string shown_with_type(const schema::Value& value) {
    const auto* text = value.get_if<std::string>();
    return text != nullptr ? json::quoted(excerpt(*text)) : shown(value);
}

}  // namespace tipple::normalize
