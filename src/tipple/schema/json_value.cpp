#include "tipple/schema/json_value.h"

namespace tipple::schema {

Value to_value(const json::Value& document) {
    if (document.is_array()) {
        List list;
        list.reserve(document.as_array().size());
        for (const json::Value& element : document.as_array()) list.push_back(to_value(element));
        return list;
    }
    if (document.is_object()) {
        Object object;
        object.reserve(document.as_object().size());
        for (const json::Member& member : document.as_object()) object.push_back({member.name, to_value(member.value)});
        return object;
    }
    return to_scalar(document);
}

Value to_scalar(const json::Value& document) {
    if (document.is_array()) return List();
    if (document.is_object()) return Object();
    if (document.is_text()) return document.as_text();
    if (document.is_bool()) return document.as_bool();
    if (document.is_int()) return document.as_int();
    if (document.is_uint()) return document.as_uint();
    return document.is_double() ? Value(document.as_double()) : Value();
}

}  // namespace tipple::schema
