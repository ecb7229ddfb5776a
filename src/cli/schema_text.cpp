#include "cli/schema_text.h"

#include <fmt/format.h>

namespace tipple::cli {

std::string type_text(const schema::Column& column) {
    if (!column.is_complete()) return "(no type yet)";
    std::string text(schema::to_text(*column.data_type()));
    if (column.precision() && column.scale()) return fmt::format("{}({},{})", text, *column.precision(), *column.scale());
    if (column.precision()) return fmt::format("{}({})", text, *column.precision());
    return text;
}

}  // namespace tipple::cli
