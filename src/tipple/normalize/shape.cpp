#include "tipple/normalize/shape.h"

namespace tipple::normalize {

namespace pull = json::pull;

TableShape& Shape::root(std::string_view table, int nesting, bool gives_root_id) {
    if (root_ == nullptr || root_->state->name != table || root_->row_level != nesting || root_->gives_root_id != gives_root_id) {
        root_.reset();
        all_.clear();
        by_state_.clear();
        root_ = std::make_unique<TableShape>();
        make_table(*root_, nullptr, {std::string(table)}, nesting, gives_root_id);
    }
    return *root_;
}

TableShape* Shape::make_table(TableShape& shape, const TableState* parent, std::vector<std::string> chain, int row_level,
                              bool gives_root_id) {
    shape.chain = std::move(chain);
    shape.row_level = row_level;
    // The row of a root table is its own root.
    shape.state = &tables_.table(rules_.naming->join_path(shape.chain), parent, gives_root_id && parent != nullptr);
    if (parent != nullptr) shape.parent = parent->name;
    shape.is_own_root = is_own_root(tables_.snapshot(), *shape.state);
    shape.gives_root_id = gives_root_id || shape.is_own_root;
    shape.generation = shape.state->generation;
    shape.row.table = &shape;
    shape.row.level = row_level;
    shape.inner.table = &shape;
    shape.inner.level = row_level - 1;
    shape.value = &add_slot(shape.row, "value", "value");
    shape.row.first = nullptr;
    shape.list = &add_slot(shape.inner, "list", "list");
    const auto [at, is_first] = by_state_.emplace(shape.state, &shape);
    if (!is_first) {
        at->second->is_shared = true;
        shape.is_shared = true;
    }
    all_.push_back(&shape);
    return &shape;
}

Slot& Shape::add_slot(ObjectShape& object, std::string raw, std::string key) {
    Slot& slot = object.slots.emplace_back(std::move(raw));
    slot.key = std::move(key);
    slot.column = column_name(rules_, object.path, slot.key);
    slot.is_special = slot.column.starts_with(schema::internal_prefix);
    const auto [other, is_only] = object.table->by_column.emplace(slot.column, &slot);
    if (!is_only) {
        other->second->is_special = true;
        slot.is_special = true;
    }
    object.by_raw.emplace(slot.raw.text(), &slot);
    if (object.first == nullptr) object.first = &slot;
    return slot;
}

Slot* Shape::find_or_add(ObjectShape& object, pull::Key key) {
    const std::string_view raw = key.text();
    const auto at = object.by_raw.find(raw);
    if (at != object.by_raw.end()) return at->second;
    std::string text;
    if (!pull::unescape_into(key.raw(), text)) return nullptr;
    return &add_slot(object, std::string(raw), normalize_key(rules_, text));
}

ObjectShape& Shape::object_below(ObjectShape& object, Slot& slot) {
    if (slot.object == nullptr) {
        slot.object = std::make_unique<ObjectShape>();
        slot.object->table = object.table;
        slot.object->path = object.path;
        slot.object->path.push_back(slot.key);
        slot.object->level = object.level - 1;
    }
    return *slot.object;
}

TableShape& Shape::list_below(ObjectShape& object, Slot& slot) {
    if (slot.list == nullptr) {
        TableShape& parent = *object.table;
        std::vector<std::string> chain = parent.chain;
        chain.insert(chain.end(), object.path.begin(), object.path.end());
        chain.push_back(slot.key);
        auto shape = std::make_unique<TableShape>();
        const int level_of_row = &object == &parent.inner ? parent.inner.level : parent.row_level;
        make_table(*shape, parent.state, std::move(chain), level_of_row - 1, parent.gives_root_id);
        slot.list = std::move(shape);
    }
    return *slot.list;
}

void Shape::resolve(const ObjectShape& object, Slot& slot) {
    TableState& table = *object.table->state;
    slot.state = table.find(slot.column);
    if (slot.state != nullptr) slot.type = slot.state->type.type;
    slot.is_json = tables_.is_json_column(table, slot.column);
    slot.is_resolved = true;
}

void Shape::forget(ObjectShape& object) {
    for (Slot& slot : object.slots) {
        slot.is_resolved = false;
        slot.state = nullptr;
        if (slot.object != nullptr) forget(*slot.object);
    }
}

void Shape::refresh() {
    for (TableShape* shape : all_) {
        if (shape->generation == shape->state->generation) continue;
        shape->generation = shape->state->generation;
        forget(shape->row);
        forget(shape->inner);
    }
}

}  // namespace tipple::normalize
