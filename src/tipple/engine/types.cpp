#include "tipple/engine/types.h"

#include "tipple/engine/engine.h"

namespace tipple::engine {

using columns::ColumnType;
using schema::DataType;

namespace {

bool is_json(duckdb_logical_type type) {
    const LibraryText alias(duckdb_logical_type_get_alias(type));
    return alias.get() != nullptr && std::string_view(alias.get()) == "JSON";
}

std::string simple_name(duckdb_type id) {
    if (id == timestamp_tz_ns) return "TIMESTAMPTZ_NS";
    switch (id) {
        case DUCKDB_TYPE_BOOLEAN:
            return "BOOLEAN";
        case DUCKDB_TYPE_TINYINT:
            return "TINYINT";
        case DUCKDB_TYPE_SMALLINT:
            return "SMALLINT";
        case DUCKDB_TYPE_INTEGER:
            return "INTEGER";
        case DUCKDB_TYPE_BIGINT:
            return "BIGINT";
        case DUCKDB_TYPE_UTINYINT:
            return "UTINYINT";
        case DUCKDB_TYPE_USMALLINT:
            return "USMALLINT";
        case DUCKDB_TYPE_UINTEGER:
            return "UINTEGER";
        case DUCKDB_TYPE_UBIGINT:
            return "UBIGINT";
        case DUCKDB_TYPE_HUGEINT:
            return "HUGEINT";
        case DUCKDB_TYPE_UHUGEINT:
            return "UHUGEINT";
        case DUCKDB_TYPE_FLOAT:
            return "FLOAT";
        case DUCKDB_TYPE_DOUBLE:
            return "DOUBLE";
        case DUCKDB_TYPE_TIMESTAMP:
            return "TIMESTAMP";
        case DUCKDB_TYPE_TIMESTAMP_S:
            return "TIMESTAMP_S";
        case DUCKDB_TYPE_TIMESTAMP_MS:
            return "TIMESTAMP_MS";
        case DUCKDB_TYPE_TIMESTAMP_NS:
            return "TIMESTAMP_NS";
        case DUCKDB_TYPE_TIMESTAMP_TZ:
            return "TIMESTAMP WITH TIME ZONE";
        case DUCKDB_TYPE_DATE:
            return "DATE";
        case DUCKDB_TYPE_TIME:
            return "TIME";
        case DUCKDB_TYPE_TIME_NS:
            return "TIME_NS";
        case DUCKDB_TYPE_TIME_TZ:
            return "TIME WITH TIME ZONE";
        case DUCKDB_TYPE_INTERVAL:
            return "INTERVAL";
        case DUCKDB_TYPE_VARCHAR:
            return "VARCHAR";
        case DUCKDB_TYPE_BLOB:
            return "BLOB";
        case DUCKDB_TYPE_BIT:
            return "BIT";
        case DUCKDB_TYPE_UUID:
            return "UUID";
        case DUCKDB_TYPE_BIGNUM:
            return "BIGNUM";
        case DUCKDB_TYPE_GEOMETRY:
            return "GEOMETRY";
        case DUCKDB_TYPE_VARIANT:
            return "VARIANT";
        case DUCKDB_TYPE_SQLNULL:
            return "\"NULL\"";
        default:
            return "UNKNOWN";
    }
}

std::string struct_name(duckdb_logical_type type) {
    std::string name = "STRUCT(";
    for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        const LibraryText child_name(duckdb_struct_type_child_name(type, i));
        const TypeHandle child(duckdb_struct_type_child_type(type, i));
        name += fmt::format("{}{} {}", i > 0 ? ", " : "", quote_identifier(child_name.get()),
                            sql_type_name(child.get()));
    }
    return name + ")";
}

std::string union_name(duckdb_logical_type type) {
    std::string name = "UNION(";
    for (idx_t i = 0; i < duckdb_union_type_member_count(type); ++i) {
        const LibraryText member_name(duckdb_union_type_member_name(type, i));
        const TypeHandle member(duckdb_union_type_member_type(type, i));
        name += fmt::format("{}{} {}", i > 0 ? ", " : "", quote_identifier(member_name.get()),
                            sql_type_name(member.get()));
    }
    return name + ")";
}

std::string enum_name(duckdb_logical_type type) {
    std::string name = "ENUM(";
    for (std::uint32_t i = 0; i < duckdb_enum_dictionary_size(type); ++i) {
        const LibraryText value(duckdb_enum_dictionary_value(type, i));
        name += fmt::format("{}{}", i > 0 ? ", " : "", quote_literal(value.get()));
    }
    return name + ")";
}

std::string map_name(duckdb_logical_type type) {
    const TypeHandle key(duckdb_map_type_key_type(type));
    const TypeHandle value(duckdb_map_type_value_type(type));
    return fmt::format("MAP({}, {})", sql_type_name(key.get()), sql_type_name(value.get()));
}

}  // namespace

std::string sql_type_name(duckdb_logical_type type) {
    if (const LibraryText alias(duckdb_logical_type_get_alias(type));
        alias.get() != nullptr && *alias.get() != '\0') {
        return alias.get();
    }
    switch (duckdb_get_type_id(type)) {
        case DUCKDB_TYPE_DECIMAL:
            return fmt::format("DECIMAL({},{})", duckdb_decimal_width(type),
                               duckdb_decimal_scale(type));
        case DUCKDB_TYPE_STRUCT:
            return struct_name(type);
        case DUCKDB_TYPE_UNION:
            return union_name(type);
        case DUCKDB_TYPE_ENUM:
            return enum_name(type);
        case DUCKDB_TYPE_MAP:
            return map_name(type);
        case DUCKDB_TYPE_LIST:
            return sql_type_name(TypeHandle(duckdb_list_type_child_type(type)).get()) + "[]";
        case DUCKDB_TYPE_ARRAY:
            return fmt::format("{}[{}]",
                               sql_type_name(TypeHandle(duckdb_array_type_child_type(type)).get()),
                               duckdb_array_type_array_size(type));
        default:
            return simple_name(duckdb_get_type_id(type));
    }
}

Mapping map_type(duckdb_logical_type type) {
    if (duckdb_get_type_id(type) == timestamp_tz_ns) return {.type = {.type = DataType::timestamp}};
    switch (duckdb_get_type_id(type)) {
        case DUCKDB_TYPE_BOOLEAN:
            return {.type = {.type = DataType::bool_}};
        case DUCKDB_TYPE_TINYINT:
        case DUCKDB_TYPE_SMALLINT:
        case DUCKDB_TYPE_INTEGER:
        case DUCKDB_TYPE_BIGINT:
        case DUCKDB_TYPE_UTINYINT:
        case DUCKDB_TYPE_USMALLINT:
        case DUCKDB_TYPE_UINTEGER:
            return {.type = {.type = DataType::bigint}};
        case DUCKDB_TYPE_UBIGINT:
        case DUCKDB_TYPE_HUGEINT:
        case DUCKDB_TYPE_UHUGEINT:
            return {.type = {.type = DataType::decimal, .precision = 38}};
        case DUCKDB_TYPE_DECIMAL:
            return {.type = {.type = DataType::decimal,
                             .precision = duckdb_decimal_width(type),
                             .scale = duckdb_decimal_scale(type)}};
        case DUCKDB_TYPE_FLOAT:
        case DUCKDB_TYPE_DOUBLE:
            return {.type = {.type = DataType::double_}};
        case DUCKDB_TYPE_TIMESTAMP:
        case DUCKDB_TYPE_TIMESTAMP_S:
        case DUCKDB_TYPE_TIMESTAMP_MS:
        case DUCKDB_TYPE_TIMESTAMP_NS:
            return {.type = {.type = DataType::timestamp, .timezone = false}};
        case DUCKDB_TYPE_TIMESTAMP_TZ:
            return {.type = {.type = DataType::timestamp}};
        case DUCKDB_TYPE_DATE:
            return {.type = {.type = DataType::date}};
        case DUCKDB_TYPE_TIME:
        case DUCKDB_TYPE_TIME_NS:
            return {.type = {.type = DataType::time}};
        case DUCKDB_TYPE_VARCHAR:
            return {.type = {.type = is_json(type) ? DataType::json : DataType::text}};
        case DUCKDB_TYPE_BLOB:
            return {.type = {.type = DataType::binary}};
        case DUCKDB_TYPE_STRUCT:
        case DUCKDB_TYPE_LIST:
        case DUCKDB_TYPE_MAP:
        case DUCKDB_TYPE_ARRAY:
        case DUCKDB_TYPE_UNION:
        case DUCKDB_TYPE_VARIANT:
            return {.type = {.type = DataType::json}, .passage = Passage::through_json};
        default:
            return {.type = {.type = DataType::text}, .passage = Passage::through_text};
    }
}

std::string passage_expression(const std::string& name, Passage passage) {
    switch (passage) {
        case Passage::direct:
            return name;
        case Passage::through_text:
            return fmt::format("CAST({} AS VARCHAR)", name);
        case Passage::through_json:
            return fmt::format("to_json({})", name);
    }
    return name;
}

}  // namespace tipple::engine
