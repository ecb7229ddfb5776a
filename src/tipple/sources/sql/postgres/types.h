#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tipple/columns/column.h"
#include "tipple/schema/value.h"
#include "tipple/sources/sql/database.h"

/// What types of Postgres become, and how their values come.
namespace tipple::sources::sql::postgres {

/// How values of a column come in the binary format of COPY.
enum class Wire : std::uint8_t {
    boolean,
    int2,
    int4,
    int8,
    uint4,  ///< oid
    float4,
    float8,
    numeric,
    bytes,
    text,
    json,
    jsonb,  ///< a version and the text
    uuid,
    date,
    time,
    timestamp,
};

/// That of a type that is read as it is, by its number; nothing for others, which are cast to one of these.
std::optional<Wire> find_wire(std::uint32_t oid);
/// Whether what comes so can be read as `type`.
bool can_read(Wire wire, const columns::ColumnType& type);

/// A type, not a domain, as the catalog describes it.
struct CatalogType {
    std::uint32_t oid = 0;
    int modifier = -1;
    std::string text;      ///< as `format_type` writes it
    char kind = 'b';       ///< pg_type.typtype
    char category = 'U';   ///< pg_type.typcategory
    std::string name;      ///< pg_type.typname
};

/// What a numeric that says nothing of its digits becomes: decimal(precision, scale), or text or double.
columns::ColumnType parse_numeric_option(std::string_view text);

/// Name, comment and nullability are left out. `unlimited`: what a numeric without digits becomes.
DeclaredColumn declared_column(const CatalogType& type, const columns::ColumnType& unlimited);

/// See Database::select_expression.
std::string select_expression(const DeclaredColumn& column);
/// See Database::order_expression.
std::string order_expression(const DeclaredColumn& column);
/// See Database::bound_literal.
std::string literal(const schema::Value& value, const DeclaredColumn& column);

}  // namespace tipple::sources::sql::postgres
