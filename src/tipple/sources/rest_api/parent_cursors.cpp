#include "tipple/sources/rest_api/parent_cursors.h"

#include <algorithm>

#include "tipple/core/error.h"

namespace tipple::sources::rest {

namespace {

/// Takes elements at ascending places out of a list.
template <typename Element>
void erase_at(std::vector<Element>& list, const std::vector<std::size_t>& places) {
    std::size_t at = 0;
    std::erase_if(list, [&](const Element&) { return std::binary_search(places.begin(), places.end(), at++); });
}

}  // namespace

ParentCursors::ParentCursors(const extract::ResourceSpec& spec, const json::Object* remembered) : spec_(spec) {
    // Of another field, nothing is known.
    const json::Value* slots = remembered != nullptr ? remembered->find(spec.incremental->cursor_path) : nullptr;
    if (slots == nullptr || !slots->is_object()) return;
    for (const json::Member& slot : slots->as_object()) {
        if (slot.value.is_object()) slots_.emplace(slot.name, slot.value.as_object());
    }
}

std::unique_ptr<incremental::Cursor> ParentCursors::open(const std::string& key) const {
    const auto slot = slots_.find(key);
    return std::make_unique<incremental::Cursor>(*spec_.incremental, spec_.name, spec_.primary_key, slot != slots_.end() ? &slot->second : nullptr);
}

void ParentCursors::filter(incremental::Cursor& cursor, ReadPage& page) {
    std::vector<std::size_t> dropped;
    std::size_t first = 0;
    for (extract::JsonPage& part : page.pages) {
        incremental::PageFold fold;
        const incremental::JsonRecords records{reinterpret_cast<char*>(part.text.data()), part.size, part.record_starts};
        const std::optional<incremental::RecordProblem> problem = filter_.filter(cursor.start(), records, {.crowded_value = cursor.crowded_value()}, fold);
        if (problem) throw Error(ErrorKind::data, "record {}: {}", part.origin.record + problem->record + 1, problem->text);
        cursor.take(fold);
        for (const std::size_t place : fold.dropped) dropped.push_back(first + place);
        first += part.record_starts.size();
        erase_at(part.record_starts, fold.dropped);
    }
    if (!page.parent_values.empty()) erase_at(page.parent_values, dropped);
    std::erase_if(page.pages, [](const extract::JsonPage& part) { return part.record_starts.empty(); });
    if (cursor.is_done()) page.has_next = false;
}

void ParentCursors::keep(const std::string& key, incremental::Cursor& cursor) {
    std::optional<json::Object> slot = cursor.slot();
    if (!slot) return;
    slots_.insert_or_assign(key, *std::move(slot));
    if (slots_.size() <= parent_cursors_max) return;
    throw Error(ErrorKind::usage, "resource \"{}\": more than {} parents have a cursor of their own, and each load writes them all; let the cursor be one for all (scope = \"resource\")",
                spec_.name, parent_cursors_max);
}

json::Object ParentCursors::state() const {
    json::Object slots;
    for (const auto& [key, slot] : slots_) slots.append(key, slot);
    return {{spec_.incremental->cursor_path, std::move(slots)}};
}

}  // namespace tipple::sources::rest
