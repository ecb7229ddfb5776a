#include "tipple/api/context.h"

#include "tipple/core/error.h"
#include "tipple/schema/coerce.h"

namespace tipple {

std::string Cursor::text_of(const Value& value) {
    if (value.is_null()) return {};
    const std::optional<Value> text = schema::coerce(DataType::text, value);
    return text ? text->as<std::string>() : std::string();
}

std::optional<std::int64_t> Cursor::int_of(const Value& value) {
    if (value.is_null()) return std::nullopt;
    if (const auto* integer = value.get_if<std::int64_t>()) return *integer;
    throw Error(ErrorKind::usage, "the cursor starts at {}, which is no integer", text_of(value));
}

ResourceContext::ResourceContext(const extract::ResourceContext& context, extract::Output& out, extract::CursorView* cursor, State state, std::string resource)
    : context_(context),
      out_(out),
      cursor_(cursor),
      resource_state_(std::move(state)),
      source_state_([&context]() -> json::Object& { return context.state->source(); }, [&context] { return context.state->lock_source(); }),
      resource_(std::move(resource)) {}

Cursor ResourceContext::cursor() {
    if (cursor_ == nullptr) {
        throw Error(ErrorKind::usage, "resource \"{}\" has no cursor; give it one with .incremental(\"FIELD\")", resource_);
    }
    return Cursor(*cursor_);
}

}  // namespace tipple
