#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tipple/json/pull.h"
#include "tipple/normalize/page_tables.h"
#include "tipple/normalize/table_names.h"

/// What a worker has learnt of the shape of the records of one resource: a tree of the objects and lists met so far, each key with the
/// column it leads to and the key that followed it last time.
namespace tipple::normalize {

struct ObjectShape;
struct TableShape;

/// One key of an object.
struct Slot {
    std::string raw;     ///< as it stands in the JSON text, escapes included
    std::string key;     ///< normalized, a part of names
    std::string column;  ///< the column's name
    Slot* next = nullptr;
    std::uint64_t seen = 0;  ///< number of the object in which it was met last
    bool is_internal = false;  ///< a name of the loader's own: the record needs the record normalizer

    // Cached from the table; good for the table's generation only.
    bool is_resolved = false;
    bool is_json = false;
    bool is_null_noted = false;
    ColumnState* state = nullptr;
    schema::DataType type = schema::DataType::text;

    std::unique_ptr<ObjectShape> object;
    std::unique_ptr<TableShape> list;
};

/// An object: the record itself, an element of a list, or an object inside of one of these that is flattened into its row.
struct ObjectShape {
    TableShape* table = nullptr;
    std::vector<std::string> path;  ///< normalized keys from the row down to here
    int level = 0;                  ///< objects and lists are opened while it is above 0
    std::deque<Slot> slots;
    std::unordered_map<std::string_view, Slot*> by_raw;
    Slot* first = nullptr;  ///< the key that came first last time
};

/// A list of the data, or the records themselves: the rows of one table.
struct TableShape {
    TableState* state = nullptr;
    std::vector<std::string> chain;  ///< parts of the table's name
    int row_level = 0;
    bool has_root_id = false;
    ObjectShape row;          ///< elements that are objects
    ObjectShape inner;        ///< rows made from an element that is a list itself: {"list": …}, one level deeper
    Slot* value = nullptr;    ///< elements that are scalars
    Slot* list = nullptr;     ///< in `inner`
    std::uint64_t generation = 0;
    /// Another list of the data has the same table, so the order of rows is for the record normalizer to decide.
    bool is_shared = false;
};

/// Owns the shapes of one resource.
class Shape {
public:
    Shape(PageTables& tables, const Rules& rules) : tables_(tables), rules_(rules) {}

    /// The shape of the root table's rows; forgets all when the table's nesting or root id rule has changed.
    TableShape& root(std::string_view table, int nesting, bool has_root_id);
    Slot& find_or_add(ObjectShape& object, json::pull::Key key);
    ObjectShape& object_below(ObjectShape& object, Slot& slot);
    /// Of a list under `slot`. Throws Error(data) when another list under another parent has the same table name.
    TableShape& list_below(ObjectShape& object, Slot& slot);
    /// Looks the slot's column up again.
    void resolve(const ObjectShape& object, Slot& slot);
    /// Forgets cached columns of tables that changed under us.
    void refresh();

private:
    TableShape* make_table(TableShape& shape, std::string_view parent, std::vector<std::string> chain, int row_level, bool has_root_id);
    Slot& add_slot(ObjectShape& object, std::string raw, std::string key);
    static void forget(ObjectShape& object);

    PageTables& tables_;
    const Rules& rules_;
    std::unique_ptr<TableShape> root_;
    std::vector<TableShape*> all_;
    std::unordered_map<const TableState*, TableShape*> by_state_;
};

}  // namespace tipple::normalize
