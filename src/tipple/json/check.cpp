#include "tipple/json/check.h"

namespace tipple::json {

using pull::Fault;

Fault Checker::check_text(const char* raw) { return pull::unescape_into(raw, unescaped_) ? Fault::none : Fault::string_escape; }

Fault Checker::check_value(pull::Cursor& cursor, int depth) {
    if (depth > limits::json_depth_max) return Fault::too_deep;
    if (cursor.is_at_end()) return Fault::not_closed;
    switch (cursor.peek()) {
        case '{':
            return pull::for_each_member(cursor, [&](pull::Key key, pull::Cursor& member) {
                const Fault fault = check_text(key.raw());
                return fault == Fault::none ? check_value(member, depth + 1) : fault;
            });
        case '[':
            return pull::for_each_element(cursor, [&](pull::Cursor& element) { return check_value(element, depth + 1); });
        case '"':
            return check_text(cursor.take() + 1);
        case 't':
            return pull::read_true(cursor.take());
        case 'f':
            return pull::read_false(cursor.take());
        case 'n':
            return pull::read_null(cursor.take());
        default: {
            const char first = cursor.peek();
            if (first != '-' && (first < '0' || first > '9')) return Fault::literal;
            pull::Number ignored;
            return pull::read_number(cursor.take(), ignored);
        }
    }
}

bool Checker::is_document(std::string_view text) {
    padded_.assign(text);
    padded_.append(limits::json_padding, ' ');
    if (index_.build(padded_.data(), text.size()) != Fault::none) return false;
    int documents = 0;
    const pull::WalkEnd end = pull::for_each_document(index_.cursor(), text.size(), [&](std::size_t, pull::Cursor& document) {
        return ++documents > 1 ? Fault::trailing : check_value(document, 1);
    });
    return end.fault == Fault::none && documents == 1;
}

}  // namespace tipple::json
