#include "tipple/sources/rest_api/kept_records.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/incremental/slot.h"

namespace tipple::sources::rest {

KeptRecords::KeptRecords(ParentRecords& records, const extract::ResourceSpec& spec, const json::Object* state)
    : records_(records), where_(spec.where), records_left_(spec.records_max.value_or(UINT64_MAX)) {
    // Where each parent has its own, the reader has left out already what is of no interest.
    if (!spec.incremental || spec.incremental->scope == incremental::Scope::parent) return;
    cursor_.emplace(*spec.incremental, spec.name, spec.primary_key, state != nullptr ? incremental::find_slot(*state, *spec.incremental) : nullptr);
}

std::vector<std::size_t> KeptRecords::find_unwanted(const extract::JsonPage& part) {
    if (where_ == nullptr && !cursor_) return {};
    // What is left out is blanked, and the page itself is still to be written.
    columns::Buffer copy;
    copy.append(part.text.data(), part.text.size());
    const incremental::JsonRecords records{reinterpret_cast<char*>(copy.data()), part.size, part.record_starts};
    std::vector<std::size_t> unwanted;
    if (where_ != nullptr) unwanted = condition_filter_.filter(*where_, records);
    if (!cursor_) return unwanted;
    incremental::PageFold fold;
    const std::optional<incremental::RecordProblem> problem = filter_.filter(cursor_->start(), records, {}, fold);
    if (problem) {
        throw Error(ErrorKind::data, "{}: record {}: {}", part.origin.name, part.origin.record + incremental::place_before(problem->record, unwanted) + 1, problem->text);
    }
    cursor_->take(fold);
    std::vector<std::size_t> dropped = unwanted;
    for (const std::size_t place : fold.dropped) dropped.push_back(incremental::place_before(place, unwanted));
    std::sort(dropped.begin(), dropped.end());
    return dropped;
}

void KeptRecords::add(const ReadPage& page) {
    std::size_t number = 0;
    for (const extract::JsonPage& part : page.pages) {
        const std::vector<std::size_t> unwanted = find_unwanted(part);
        for (std::size_t i = 0; i < part.record_starts.size(); ++i, ++number) {
            if (records_left_ == 0 || std::binary_search(unwanted.begin(), unwanted.end(), i)) continue;
            records_.write(page.parent_values[number]);
            --records_left_;
        }
    }
}

}  // namespace tipple::sources::rest
