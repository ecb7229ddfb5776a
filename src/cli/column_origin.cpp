#include "cli/column_origin.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/schema_text.h"
#include "tipple/io/file_system.h"
#include "tipple/pipeline/column_log.h"
#include "tipple/pipeline/pipeline.h"

namespace tipple::cli {

namespace {

std::string text_of(const json::Object& object, std::string_view name) {
    const json::Value* value = object.find(name);
    return value != nullptr && value->is_text() ? value->as_text() : "";
}

std::uint64_t number_of(const json::Object& object, std::string_view name) {
    const json::Value* value = object.find(name);
    return value != nullptr && value->is_int() && value->as_int() > 0 ? static_cast<std::uint64_t>(value->as_int()) : 0;
}

/// What the names of the folders of pipelines into one dataset end with.
std::string_view ending_of(std::string_view folder) { return folder.substr(folder.rfind('-')); }

}  // namespace

ColumnOrigins read_column_origins(Program& program, const std::string& target, const std::string& dataset, const std::string& schema, const std::string& table,
                                  const std::string& column) {
    const LoadTarget place = open_load_target(program, target, dataset, {});
    const std::string own_folder = pipeline::pipeline_folder(place.config, *place.destination);
    const std::unique_ptr<io::FileSystem> files = io::local_file_system();
    std::vector<json::Object> entries;
    for (const io::FileInfo& folder : files->list(place.config.data_folder)) {
        if (!std::string_view(folder.path).ends_with(ending_of(own_folder))) continue;
        for (json::Object& entry : pipeline::ColumnLog(*files, folder.path).find(schema, table, column)) entries.push_back(std::move(entry));
    }
    std::stable_sort(entries.begin(), entries.end(), [](const json::Object& a, const json::Object& b) { return text_of(a, "load_id") > text_of(b, "load_id"); });
    ColumnOrigins origins;
    for (json::Object& entry : entries) {
        if (text_of(entry, "reason") == "widened") {
            origins.widened.push_back(std::move(entry));
            continue;
        }
        // What is older is of a column that was dropped since.
        origins.made = std::move(entry);
        break;
    }
    return origins;
}

std::string place_text(const json::Object& origin) {
    const std::string source = text_of(origin, "source");
    if (source.empty()) return {};
    return pipeline::to_text(pipeline::RecordPlace{
        .origin = source, .byte_offset = number_of(origin, "byte_offset"), .line = number_of(origin, "line"), .record = number_of(origin, "record")});
}

std::string reason_text(const json::Object& origin, const schema::Column& column) {
    const std::string reason = text_of(origin, "reason");
    const std::string type = type_text(column);
    if (text_of(origin, "data_type") != schema::to_text(*column.data_type())) return {};
    if (reason == "detected") return fmt::format("the first value that was not null reads as {}", type);
    if (reason == "preferred") return fmt::format("a preferred type of the schema makes columns of this name {}", type);
    if (reason == "source") return fmt::format("its source has it as {}", type);
    if (reason == "declared") return fmt::format("a hint declared it {}", type);
    if (reason == "widened") return fmt::format("a value of another type came, and {} holds both", type);
    return {};
}

}  // namespace tipple::cli
