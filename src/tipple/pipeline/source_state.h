#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tipple/json/value.h"
#include "tipple/pipeline/report.h"
#include "tipple/source/source.h"

namespace tipple::pipeline {

/// What one source remembers: the member of `sources` in a pipeline's state that has the name of the source's schema.
class SourceState {
public:
    explicit SourceState(json::Object document) : document_(std::move(document)) {}

    json::Object& document() { return document_; }
    const json::Object& document() const { return document_; }
    /// Made when it is not there.
    json::Object& resource(std::string_view name);
    const json::Object* find_resource(std::string_view name) const;
    /// Fine when it is not there.
    void erase_resource(std::string_view name);

private:
    json::Object document_;
};

/// What a resource sees of it while it reads.
class ResourceState final : public extract::State {
public:
    /// `state` outlives this.
    ResourceState(SourceState& state, std::string resource) : state_(state), resource_(std::move(resource)) {}

    json::Object& resource() override {
        is_used_ = true;
        return state_.resource(resource_);
    }
    json::Object& resource(std::string_view name) override {
        is_used_ = true;
        return state_.resource(name);
    }
    json::Object& source() override {
        is_used_ = true;
        return state_.document();
    }
    const json::Object& source() const override { return state_.document(); }
    /// Whether the source remembers anything itself. Only it knows then up to where that and what it has written belong together.
    bool is_used() const { return is_used_; }

private:
    SourceState& state_;
    std::string resource_;
    bool is_used_ = false;
};

/// The state of the source with this schema out of a pipeline's `sources`; empty when there is none.
SourceState source_state(const json::Object& sources, std::string_view schema);

/// Where the cursors of all sources stand, before and after a run that left their states as these.
std::vector<CursorReport> compare_cursors(const json::Object& sources_before, const json::Object& sources_after);

/// Puts it back. A source that never remembered anything gets no member.
void set_source_state(json::Object& sources, std::string_view schema, SourceState state);

}  // namespace tipple::pipeline
