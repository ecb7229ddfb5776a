#include "tipple/schema/value.h"

#include "tipple/core/error.h"

namespace tipple::schema {

DataType natural_type(const Value& scalar) {
    struct Visitor {
        DataType operator()(std::monostate) const {
            throw_bug("a null has no type", __FILE__, __LINE__);
        }
        DataType operator()(bool) const { return DataType::bool_; }
        DataType operator()(std::int64_t) const { return DataType::bigint; }
        DataType operator()(std::uint64_t) const { return DataType::bigint; }
        DataType operator()(double) const { return DataType::double_; }
        DataType operator()(const std::string&) const { return DataType::text; }
        DataType operator()(const Decimal&) const { return DataType::decimal; }
        DataType operator()(const Wei&) const { return DataType::wei; }
        DataType operator()(const Timestamp&) const { return DataType::timestamp; }
        DataType operator()(const Date&) const { return DataType::date; }
        DataType operator()(const Time&) const { return DataType::time; }
        DataType operator()(const Binary&) const { return DataType::binary; }
        DataType operator()(const Json&) const { return DataType::json; }
        DataType operator()(const List&) const { return DataType::json; }
        DataType operator()(const Object&) const { return DataType::json; }
    };
    return std::visit(Visitor(), static_cast<const Value::variant&>(scalar));
}

}  // namespace tipple::schema
