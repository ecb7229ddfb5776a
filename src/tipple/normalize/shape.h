#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "tipple/json/pull.h"
#include "tipple/normalize/page_tables.h"
#include "tipple/normalize/table_names.h"

/// What a worker has learnt of the shape of the records of one resource: a tree of the objects and lists met so far, each key with the
/// column it leads to and the key that followed it last time.
namespace tipple::normalize {

struct ObjectShape;
struct TableShape;

/// A key as it stands in the JSON text, escapes included, laid out for a fast comparison.
class RawKey {
public:
    explicit RawKey(std::string text) : text_(std::move(text)) {
        const std::string quoted = text_ + '"';
        fits_ = quoted.size() <= sizeof(head_);
        std::memcpy(head_, quoted.data(), std::min(quoted.size(), sizeof(head_)));
        mask_ = fits_ ? static_cast<unsigned>((std::uint64_t{1} << quoted.size()) - 1) : 0;
    }
    std::string_view text() const { return text_; }

    /// Whether `key` is this one: nearly always asked of the key that followed last time, and nearly always true.
    bool equals(json::pull::Key key) const {
#if defined(__SSE2__)
        if (fits_) {
            // Names of up to 31 characters: two vector comparisons, no call. `key` has 64 readable bytes.
            const auto* raw = reinterpret_cast<const __m128i*>(key.raw());
            const auto* own = reinterpret_cast<const __m128i*>(head_);
            const auto low = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(raw), _mm_load_si128(own))));
            const auto high = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(raw + 1), _mm_load_si128(own + 1))));
            return ((low | (high << 16)) & mask_) == mask_;
        }
#endif
        return key.equals(text_);
    }

private:
    alignas(16) char head_[32] = {};
    unsigned mask_ = 0;
    bool fits_ = false;
    std::string text_;
};

/// One key of an object.
struct Slot {
    explicit Slot(std::string raw_key) : raw(std::move(raw_key)) {}

    RawKey raw;
    std::string key;     ///< normalized, a part of names
    std::string column;  ///< the column's name
    Slot* next = nullptr;
    std::uint64_t seen = 0;  ///< number of the object in which it was met last
    /// The record needs the record normalizer: the name is the loader's own, or another key of the row leads to the same column.
    bool is_special = false;

    // Cached from the table; good for the table's generation only.
    bool is_resolved = false;
    bool is_json = false;
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
    std::string parent;  ///< table of the row that holds the list
    std::vector<std::string> chain;  ///< parts of the table's name
    int row_level = 0;
    /// Rows below carry a root id: that of their rows' own root or, with `is_own_root`, the id of their row here.
    bool gives_root_id = false;
    bool is_own_root = false;
    ObjectShape row;          ///< elements that are objects
    ObjectShape inner;        ///< rows made from an element that is a list itself: {"list": …}, one level deeper
    Slot* value = nullptr;    ///< elements that are scalars
    Slot* list = nullptr;     ///< in `inner`
    std::unordered_map<std::string_view, Slot*> by_column;
    std::uint64_t generation = 0;
    /// Another list of the data has the same table, so the order of rows is for the record normalizer to decide.
    bool is_shared = false;
};

/// Owns the shapes of one resource.
class Shape {
public:
    Shape(PageTables& tables, const Rules& rules) : tables_(tables), rules_(rules) {}

    /// The shape of the root table's rows; forgets all when the table's nesting or root id rule has changed.
    TableShape& root(std::string_view table, int nesting, bool gives_root_id);
    /// nullptr when the key has a bad escape.
    Slot* find_or_add(ObjectShape& object, json::pull::Key key);
    ObjectShape& object_below(ObjectShape& object, Slot& slot);
    /// Of a list under `slot`.
    TableShape& list_below(ObjectShape& object, Slot& slot);
    /// Looks the slot's column up again.
    void resolve(const ObjectShape& object, Slot& slot);
    /// Forgets cached columns of tables that changed under us.
    void refresh();

private:
    TableShape* make_table(TableShape& shape, const TableState* parent, std::vector<std::string> chain, int row_level, bool gives_root_id);
    Slot& add_slot(ObjectShape& object, std::string raw, std::string key);
    static void forget(ObjectShape& object);

    PageTables& tables_;
    const Rules& rules_;
    std::unique_ptr<TableShape> root_;
    std::vector<TableShape*> all_;
    std::unordered_map<const TableState*, TableShape*> by_state_;
};

}  // namespace tipple::normalize
