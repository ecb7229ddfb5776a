#pragma once

#include <string>
#include <string_view>

#include "tipple/json/pull.h"

namespace tipple::json {

/// Tells what is JSON: what `parse` takes, without building values. Keeps its memory between texts; one per thread.
class Checker {
public:
    /// Whether the text is one document.
    bool is_document(std::string_view text);

private:
    pull::Fault check_value(pull::Cursor& cursor, int depth);
    pull::Fault check_text(const char* raw);

    pull::Index index_;
    std::string padded_;
    std::string unescaped_;
};

}  // namespace tipple::json
