#include "tipple/pipeline/input_log.h"

#include "tipple/core/error.h"

namespace tipple::pipeline {

InputLog::InputLog(io::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {
    if (files_.find(path_) == nullptr) return;
    json::Value document;
    if (json::try_parse(files_.read_text(path_), document) && document.is_object()) entries_ = std::move(document.as_object());
}

std::optional<std::string> InputLog::find(const extract::InputFile& input) const {
    const json::Value* entry = entries_.find(input.path);
    if (entry == nullptr || !entry->is_object()) return std::nullopt;
    const json::Value* size = entry->as_object().find("size");
    const json::Value* modified = entry->as_object().find("modified_ns");
    const json::Value* load = entry->as_object().find("load_id");
    const bool is_same = size != nullptr && *size == json::Value(input.size) && modified != nullptr && *modified == json::Value(input.modified_ns);
    if (!is_same || load == nullptr || !load->is_text()) return std::nullopt;
    return load->as_text();
}

void InputLog::add(const std::vector<extract::InputFile>& inputs, const std::string& load_id) {
    for (const extract::InputFile& input : inputs) {
        entries_.erase(input.path);
        entries_.append(input.path, json::Object{{"size", input.size}, {"modified_ns", input.modified_ns}, {"load_id", load_id}});
    }
    // Older ones are forgotten.
    while (entries_.size() > noted_inputs_max) entries_.erase(entries_.begin()->name);
}

void InputLog::save() {
    // Not durable on purpose: losing it costs nothing, and waiting for the disk would cost every small load.
    files_.write_text_atomically(path_, json::to_text(json::Value(entries_)));
}

}  // namespace tipple::pipeline
