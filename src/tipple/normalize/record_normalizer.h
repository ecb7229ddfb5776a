#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/normalize/page_tables.h"
#include "tipple/schema/value.h"

namespace tipple::normalize {

/// Turns one record that is there as a value into rows, field by field in exactly the reference's order. Slow and complete: for typed
/// records, and for JSON records in which names meet or that bring their own ids, where the streaming shredder gives up.
class RecordNormalizer {
public:
    explicit RecordNormalizer(PageTables& tables) : tables_(tables), rules_(tables.rules()) {}

    /// Rows of `record` go into `root` and its nested tables, `nesting` levels deep; the caller has begun the record. `rejected`:
    /// `tables.rejection()` says why, and the caller rolls the record back. `discard_row`: the contract left the whole record out, nothing is
    /// to be rolled back.
    PutResult normalize(const schema::Value& record, TableState& root, int nesting);

    /// Rows below roots, and roots, that contracts left out since the last call.
    std::size_t take_discarded_rows() { return std::exchange(discarded_rows_, 0); }

    /// What filters of the schema left out of the last record.
    struct Filtered {
        std::size_t rows = 0;
        std::size_t values = 0;
    };
    const Filtered& filtered() const { return filtered_; }

private:
    struct RowContext {
        TableState* table = nullptr;
        std::vector<std::string> chain;  ///< parts of the table's name
        int level = 0;
        /// As in TableShape.
        bool gives_root_id = false;
        bool is_own_root = false;
    };
    struct Links {
        std::string parent_id;
        std::string root_id;
        std::int64_t list_index = 0;
        std::int64_t root_number = 0;  ///< of the root row above, where rows are numbered
        /// The ids above are known in advance, so this row's can be too.
        bool is_repeatable = false;
        /// Fields of rows above that the schema propagates.
        std::vector<schema::Field> inherited;
    };
    using SourcePath = std::vector<std::string_view>;
    struct Field {
        std::string name;
        const schema::Value* value;
        /// Names of the data from the row down.
        SourcePath source;
        /// The column is this name's own, because another one has taken the plain name.
        bool has_own_column = false;
        /// By a filter of the schema. What the rows below take over from it they get all the same.
        bool is_filtered = false;
    };
    struct ListField {
        std::vector<std::string> path;
        const schema::List* list;
        SourcePath source;
        /// Where it stands in the row's text: its place among the members of each object down to it.
        std::vector<std::size_t> place;
    };
    struct FlatRow {
        std::vector<Field> fields;
        std::vector<ListField> lists;
        std::string given_id;  ///< by the data
        std::string id;        ///< empty = made when the row is begun
    };

    PutResult flatten(const schema::Object& object, const RowContext& context, FlatRow& row);
    PutResult add_field(Field field, TableState& table, FlatRow& row);
    PutResult add_list(ListField list, TableState& table, FlatRow& row);
    PutResult refuse_collision(const TableState& table, const std::string& column, const SourcePath& first, const SourcePath& second);
    void note_collision(DataNote::Kind kind, const TableState& table, const std::string& column, const SourcePath& first,
                        const SourcePath& second);
    std::string free_column(const std::string& name, const TableState& table, const FlatRow& row) const;
    void sort_lists(const RowContext& context, std::vector<ListField>& lists) const;
    void inherit(const TableState& table, const FlatRow& row, Links& below) const;
    bool is_filtered(TableState& table, const std::string& column) const;
    bool filters_links(TableState& table, bool has_root_id) const;
    bool filter(const RowContext& context, const Links& links, FlatRow& row);
    PutResult admit(const ListField& list, std::size_t rows, const RowContext& context, TableState& table);
    PutResult prepare_row(const schema::Object& object, const RowContext& context, const Links& links, FlatRow& row);
    PutResult emit_row(const FlatRow& row, const RowContext& context, const Links& links);
    std::optional<std::string> row_id(const schema::Object& object, const FlatRow& row, const TableState& table, const Links& links);
    PutResult put_fields(const FlatRow& row, TableState& table, bool has_own_id);
    PutResult put_field(TableState& table, const Field& field, std::int32_t position);
    PutResult emit_list(const ListField& list, const RowContext& context, const Links& links);
    static void take_inherited(const Links& links, FlatRow& row);
    static std::string own_id(const FlatRow& row);

    PageTables& tables_;
    const Rules& rules_;
    std::size_t discarded_rows_ = 0;
    Filtered filtered_;
};

}  // namespace tipple::normalize
