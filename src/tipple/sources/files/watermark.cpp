#include "tipple/sources/files/watermark.h"

#include <utility>

#include "tipple/core/error.h"
#include "tipple/incremental/slot.h"

namespace tipple::sources::files {

schema::Object file_item(const std::string& url, const io::ObjectInfo& file) {
    return {{"file_url", url}, {"file_name", io::file_name(file.key)}, {"modification_date", schema::Timestamp{.us = file.modified_ns / 1'000}}, {"size_in_bytes", static_cast<std::int64_t>(file.size)}};
}

incremental::Spec Watermark::by_time() { return {.cursor_path = "modification_date", .primary_key = std::vector<std::string>{"file_url"}}; }

Watermark::Watermark(incremental::Spec spec, const std::string& resource, const json::Object& state)
    : spec_(std::move(spec)), cursor_(spec_, resource, {}, incremental::find_slot(state, spec_)) {}

incremental::PageFold Watermark::fold(const std::string& url, const io::ObjectInfo& file) {
    std::vector<schema::Value> records{file_item(url, file)};
    incremental::PageFold fold;
    const std::optional<incremental::RecordProblem> problem = filter_.filter(cursor_.start(), records, {.crowded_value = cursor_.crowded_value()}, fold);
    if (problem) throw Error(ErrorKind::data, "{}: {}", url, problem->text);
    return fold;
}

bool Watermark::is_new(const std::string& url, const io::ObjectInfo& file) { return fold(url, file).kept > 0; }
void Watermark::take(const std::string& url, const io::ObjectInfo& file) { cursor_.take(fold(url, file)); }

void Watermark::remember(json::Object& state) {
    if (std::optional<json::Object> slot = cursor_.slot()) incremental::set_slot(state, spec_, *std::move(slot));
}

}  // namespace tipple::sources::files
