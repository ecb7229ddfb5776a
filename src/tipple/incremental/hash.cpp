#include "tipple/incremental/hash.h"

#include <algorithm>
#include <cmath>

#include "tipple/core/hash.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::incremental {

namespace {

constexpr std::size_t current_bytes = 9;
constexpr std::size_t legacy_bytes = 15;
constexpr std::size_t legacy_length = 20;

std::string legacy_text(const schema::Timestamp& timestamp) {
    std::string text = schema::to_iso_text(timestamp);
    constexpr std::string_view utc = "+00:00";
    if (timestamp.is_aware && text.ends_with(utc)) text.replace(text.size() - utc.size(), utc.size(), "Z");
    return text;
}

}  // namespace

HashForm form_of(const std::vector<std::string>& hashes) {
    const bool is_legacy = std::any_of(hashes.begin(), hashes.end(), [](const std::string& hash) { return hash.size() == legacy_length; });
    return is_legacy ? HashForm::legacy : HashForm::current;
}

std::string hash_of(const json::Value& document, HashForm form) {
    const std::string text = json::to_text(document, {.key_order = json::KeyOrder::sorted});
    const std::vector<std::uint8_t> digest = shake128(text, form == HashForm::legacy ? legacy_bytes : current_bytes);
    return to_base64(as_text(digest), Base64Padding::none);
}

json::Value hashed_document(const schema::Value& value, HashForm form) {
    if (value.is_null()) return {};
    if (const auto* flag = value.get_if<bool>()) return *flag;
    if (const auto* integer = value.get_if<std::int64_t>()) return *integer;
    if (const auto* large = value.get_if<std::uint64_t>()) return *large;
    if (const auto* number = value.get_if<double>()) return std::isfinite(*number) ? json::Value(*number) : json::Value();
    if (const auto* timestamp = value.get_if<schema::Timestamp>()) {
        return form == HashForm::legacy ? json::Value(legacy_text(*timestamp)) : json::Value(timestamp->us);
    }
    if (const auto* binary = value.get_if<schema::Binary>()) return to_base64(binary->bytes);
    if (const auto* whole = value.get_if<schema::Json>()) {
        json::Value document;
        return json::try_parse(whole->text, document) ? document : json::Value(whole->text);
    }
    if (const auto* list = value.get_if<schema::List>()) {
        json::Array array;
        for (const schema::Value& element : *list) array.push_back(hashed_document(element, form));
        return array;
    }
    if (const auto* object = value.get_if<schema::Object>()) {
        json::Object members;
        for (const schema::Field& field : *object) members.set(field.name, hashed_document(field.value, form));
        return members;
    }
    // Texts, decimals, dates and times.
    return schema::coerce(schema::DataType::text, value)->as<std::string>();
}

}  // namespace tipple::incremental
