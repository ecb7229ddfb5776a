#include "tipple/sources/rest_api/kept_records.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/incremental/slot.h"

namespace tipple::sources::rest {

KeptRecords::KeptRecords(ParentRecords& records, const extract::ResourceSpec& spec, const json::Object* state) : records_(records) {
    // Where each parent has its own, the reader has left out already what is of no interest.
    if (!spec.incremental || spec.incremental->scope == incremental::Scope::parent) return;
    cursor_.emplace(*spec.incremental, spec.name, spec.primary_key, state != nullptr ? incremental::find_slot(*state, *spec.incremental) : nullptr);
}

void KeptRecords::add(const ReadPage& page) {
    std::size_t number = 0;
    for (const extract::JsonPage& part : page.pages) {
        std::vector<std::size_t> dropped;
        if (cursor_) {
            // What is left out is blanked, and the page itself is still to be written.
            columns::Buffer copy;
            copy.append(part.text.data(), part.text.size());
            incremental::PageFold fold;
            const std::optional<incremental::RecordProblem> problem = filter_.filter(
                cursor_->start(), incremental::JsonRecords{reinterpret_cast<char*>(copy.data()), part.size, part.record_starts}, {}, fold);
            if (problem) throw Error(ErrorKind::data, "{}: record {}: {}", part.origin.name, part.origin.record + problem->record + 1, problem->text);
            cursor_->take(fold);
            dropped = std::move(fold.dropped);
        }
        for (std::size_t i = 0; i < part.record_starts.size(); ++i, ++number) {
            if (!std::binary_search(dropped.begin(), dropped.end(), i)) records_.write(page.parent_values[number]);
        }
    }
}

}  // namespace tipple::sources::rest
