#include "tipple/pipeline/report.h"

#include <fmt/format.h>

#include "tipple/core/text.h"

namespace tipple::pipeline {

std::string to_text(const RecordPlace& place) {
    if (place.line > 0) return fmt::format("{}:{} (byte {})", place.origin, place.line, format_count(place.byte_offset));
    if (place.record == 0) return place.origin;
    // Columns have no bytes to point at.
    if (place.byte_offset == 0) return fmt::format("{}, record {}", place.origin, format_count(place.record));
    return fmt::format("{}, record {} (byte {})", place.origin, format_count(place.record), format_count(place.byte_offset));
}

std::string to_text(const DataWarning& warning) {
    const normalize::DataNote& note = warning.note;
    const std::string times = note.count == 1 ? "once" : fmt::format("{} times", format_count(note.count));
    switch (note.kind) {
        case normalize::DataNote::Kind::names_met:
            if (note.name.empty()) {
                return fmt::format("table \"{}\": two names of one record became column \"{}\", {}, first in {}; the last value was kept", note.table,
                                   note.column, times, warning.place);
            }
            return fmt::format("table \"{}\": \"{}\" and \"{}\" of one record both became column \"{}\", {}, first in {}; the last value that is not "
                               "null was kept (--collisions suffix keeps both, fail refuses the record)",
                               note.table, note.name, note.other, note.column, times, warning.place);
        case normalize::DataNote::Kind::lists_met:
            return fmt::format("table \"{}\": the lists \"{}\" and \"{}\" of one record became one nested table, {}, first in {}; the rows of the last "
                               "one were kept (--collisions suffix keeps both, fail refuses the record)",
                               note.table, note.name, note.other, times, warning.place);
        case normalize::DataNote::Kind::parents_met:
            return fmt::format("table \"{}\": lists below rows of \"{}\" and of \"{}\" became this one nested table, {}, first in {}; _dlt_parent_id says "
                               "of each row which it belongs to",
                               note.table, note.other, note.name, times, warning.place);
        case normalize::DataNote::Kind::rounded:
            return fmt::format("table \"{}\", column \"{}\": values with more decimal places than the column has were rounded, {}, first in {} (to keep "
                               "them, declare the column with a larger scale)",
                               note.table, note.column, times, warning.place);
        case normalize::DataNote::Kind::times_rounded:
            return fmt::format("table \"{}\", column \"{}\": times with more digits behind the second than the column keeps were rounded, {}, first in {} (to keep "
                               "them, declare the column with a greater precision)",
                               note.table, note.column, times, warning.place);
        case normalize::DataNote::Kind::nanoseconds_cut:
            return fmt::format("table \"{}\", column \"{}\": times with nanoseconds were cut to microseconds, {}, first in {} (to keep them, declare the column "
                               "as text)",
                               note.table, note.column, times, warning.place);
        case normalize::DataNote::Kind::table_left_out:
            return fmt::format("list \"{}\" would make the new table \"{}\", which the schema contract leaves out, {}, first in {}", note.name, note.table,
                               times, warning.place);
    }
    return {};
}

}  // namespace tipple::pipeline
