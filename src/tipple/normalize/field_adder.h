#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/normalize/page_tables.h"
#include "tipple/normalize/shredder.h"
#include "tipple/schema/value.h"

namespace tipple::normalize {

/// Gives the records of a page fields that are not their own. One page after another.
class FieldAdder {
public:
    explicit FieldAdder(PageTables& tables) : tables_(tables) {}

    void begin_page(const JsonPage& page);
    bool is_needed() const { return page_.added != nullptr; }

    /// Puts them into the last row of the table, that of the record which starts at `offset`. `rejected` when it has such a field itself.
    PutResult put(TableState& table, std::size_t offset);
    /// The record with them, for ids that are made of its fields; nothing when it has such a field itself, or is no object.
    std::optional<schema::Value> with_fields(const schema::Value& record, std::size_t offset);
    /// The same for a record's text, for whoever reads it again later; as it is when it cannot be.
    std::string with_fields(std::string_view text, std::size_t offset);

private:
    struct Field {
        std::string name;    ///< of the data
        std::string column;  ///< normalized
        schema::Value value;
    };
    void find_place(std::size_t offset);

    PageTables& tables_;
    JsonPage page_;
    /// The last one is the place, if it is wanted.
    std::vector<Field> fields_;
    /// Lines are counted on from here.
    std::size_t counted_offset_ = 0;
    std::uint64_t counted_lines_ = 0;
};

}  // namespace tipple::normalize
