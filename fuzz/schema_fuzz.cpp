// Schema documents as they come from a destination: of any engine version, possibly damaged,
// possibly compressed.
#include "fuzz.h"
#include "tipple/columns/column.h"
#include "tipple/core/error.h"
#include "tipple/destination/destination.h"
#include "tipple/destination/system_tables.h"
#include "tipple/schema/contract.h"
#include "tipple/schema/naming.h"
#include "tipple/schema/schema.h"

namespace tipple::fuzz {

namespace {

/// A schema that was read must stand whatever is done with it, and be itself after it was written.
void use(schema::Schema schema) {
    const json::Object document = schema.to_document();
    const schema::Schema again = schema::Schema::from_document(json::Value(document));
    require(json::to_text(json::Value(again.to_document())) == json::to_text(json::Value(document)),
            "another document after a round trip");
    require(again.compute_hash() == schema.compute_hash(), "another hash after a round trip");
    schema.bump();
    require(schema.version_hash() == schema.compute_hash(), "a hash that does not fit");
    schema::Schema::from_document(json::Value(schema.to_document()));
}

void inspect(const schema::Schema& schema) {
    std::vector<std::string> names;
    for (const auto& table : schema.tables()) {
        names.push_back(table->name());
        schema::contract_of(schema, table.get());
        schema.disposition_of(*table);
        schema.chain_of(table->name());
        for (const schema::Column& column : table->columns()) {
            if (column.is_complete()) columns::column_type(column);
        }
    }
    schema::NamingConvention::make(schema.naming(), 63);
    destination::plan_ddl(schema, names, {}, {});
}

}  // namespace

}  // namespace tipple::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tipple;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    std::optional<schema::Schema> schema;
    try {
        json::Value document = destination::decode_schema(text);
        // A hash hardly ever fits after a mutation, and it is looked at first.
        if (document.is_object()) document.as_object().erase("version_hash");
        schema = schema::Schema::from_document(document);
    } catch (const Error&) {
        return 0;
    }
    fuzz::use(*schema);
    try {
        fuzz::inspect(*schema);
    } catch (const Error&) {
        // Names that meet, types that do not exist: refused with a message.
    }
    return 0;
}
