#include "tipple/pipeline/parallel_state.h"

#include <utility>

namespace tipple::pipeline {

ParallelState::Copy& ParallelState::copy_of(std::string_view name) const {
    if (const auto found = copies_.find(name); found != copies_.end()) return found->second;
    const std::lock_guard lock(mutex_);
    const json::Object* shared = std::as_const(shared_).find_resource(name);
    return copies_
        .emplace(name, Copy{.document = shared != nullptr ? std::optional(*shared) : std::nullopt})
        .first->second;
}

json::Object& ParallelState::resource(std::string_view name) {
    Copy& copy = copy_of(name);
    copy.may_have_changed = true;
    if (!copy.document) copy.document.emplace();
    return *copy.document;
}

const json::Object* ParallelState::find_resource(std::string_view name) const {
    const Copy& copy = copy_of(name);
    return copy.document ? &*copy.document : nullptr;
}

void ParallelState::save() {
    for (auto& [name, copy] : copies_) {
        if (copy.may_have_changed) shared_.resource(name) = *std::move(copy.document);
    }
    copies_.clear();
}

}  // namespace tipple::pipeline
