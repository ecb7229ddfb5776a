#include "tipple/engine/errors.h"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>

namespace tipple::engine {

namespace {

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// Up to the first line break: what follows are hints that name settings a user of ours cannot
/// reach.
std::string_view first_line(std::string_view text) {
    return text.substr(0, text.find('\n'));
}

/// Between `before` and `after`, or nothing.
std::optional<std::string_view> between(std::string_view text, std::string_view before,
                                        std::string_view after) {
    const std::size_t start = text.find(before);
    if (start == std::string_view::npos) return std::nullopt;
    text.remove_prefix(start + before.size());
    const std::size_t end = text.find(after);
    if (end == std::string_view::npos) return std::nullopt;
    return text.substr(0, end);
}

/// The release that introduced a storage version; newer ones are not known by name.
std::string storage_release(std::string_view number) {
    std::int64_t version = 0;
    std::from_chars(number.data(), number.data() + number.size(), version);
    switch (version) {
        case 64:
            return "DuckDB 0.9 to 1.1";
        case 65:
            return "DuckDB 1.2";
        case 66:
            return "DuckDB 1.3";
        case 67:
            return "DuckDB 1.4";
        case 68:
            return "DuckDB 1.5";
        case 69:
            return "DuckDB 2.0";
        // What 2.0.1 writes when nobody asks for a version.
        case 999:
            return "DuckDB 2.0 or later";
        default:
            return version < 64 ? "a DuckDB before 0.9" : "a DuckDB newer than 2.0";
    }
}

Error locked_error(std::string_view text) {
    const std::string file(between(text, "lock on file \"", "\"").value_or("the database file"));
    if (const auto holder = between(text, "Conflicting lock is held in ", ".")) {
        // The name of the program may hold a full stop; then more of the text is taken, up to the
        // closing parenthesis of the id.
        const auto with_id = between(text, "Conflicting lock is held in ", ")");
        const std::string who = with_id && contains(*with_id, "(PID ") ? std::string(*with_id) + ")"
                                                                       : std::string(*holder);
        return Error(ErrorKind::locked, "{} is held by another process: {}", file, who);
    }
    if (contains(text, "not supported for this file system")) {
        return Error(ErrorKind::local,
                     "{} lies on a file system without file locks; DuckDB cannot write it there",
                     file);
    }
    return Error(ErrorKind::locked, "{} is held by another process ({})", file, first_line(text));
}

constexpr std::string_view way_out =
    "Use a tipple built with the newer DuckDB, or copy the database with it into an older format: "
    "ATTACH 'old-format.duckdb' AS "
    "target (STORAGE_VERSION 'v1.4.0'); COPY FROM DATABASE <name> TO target";

Error version_error(std::string_view text, std::string_view library) {
    if (const auto number = between(text, "Unsupported Storage Version '", "'")) {
        return Error(ErrorKind::usage,
                     "the database file has storage version {}, which the DuckDB {} in use does "
                     "not read. {}",
                     *number, library, way_out);
    }
    const std::string number(between(text, "version number ", ",").value_or("?"));
    const std::string newest(between(text, " and ", ".").value_or("?"));
    return Error(ErrorKind::usage,
                 "the database file has storage version {} ({}), but the DuckDB {} in use reads "
                 "versions up to {}. {}",
                 number, storage_release(number), library, newest, way_out);
}

Error memory_error(std::string_view text) {
    if (contains(text, "max_temp_directory_size") || contains(text, "offload")) {
        return Error(ErrorKind::local,
                     "not enough memory, and no room on the disk to move data out of it: raise "
                     "--memory or free "
                     "space in the data folder ({})",
                     first_line(text));
    }
    return Error(ErrorKind::local, "not enough memory for the database engine: raise --memory ({})",
                 first_line(text));
}

Error io_error(std::string_view text) {
    if (contains(text, "Could not set lock") || contains(text, "Conflicting lock"))
        return locked_error(text);
    if (contains(text, "not a valid DuckDB database file")) {
        const std::string file(between(text, "The file \"", "\"").value_or("the file"));
        return Error(ErrorKind::usage, "{} is not a DuckDB database", file);
    }
    if (contains(text, "checksum") || contains(text, "Corrupt")) {
        return Error(ErrorKind::corrupt, "the database file is damaged: {}", first_line(text));
    }
    if (contains(text, "No such file") || contains(text, "No files found") ||
        contains(text, "does not exist")) {
        return Error(ErrorKind::usage, "{}", first_line(text));
    }
    return Error(ErrorKind::local, "{}", first_line(text));
}

struct Rule {
    std::string_view start;
    ErrorKind kind;
};
constexpr Rule rules[] = {
    {"Parser Error", ErrorKind::usage},
    {"Syntax Error", ErrorKind::usage},
    {"Binder Error", ErrorKind::usage},
    {"Catalog Error", ErrorKind::usage},
    {"Not implemented Error", ErrorKind::usage},
    {"Permission Error", ErrorKind::usage},
    {"Missing Extension Error", ErrorKind::usage},
    {"Extension Autoloading Error", ErrorKind::usage},
    {"Parameter Not", ErrorKind::usage},
    {"Invalid Configuration Error", ErrorKind::usage},
    {"Settings Error", ErrorKind::usage},
    {"Sequence Error", ErrorKind::data},
    {"Conversion Error", ErrorKind::data},
    {"Out of Range Error", ErrorKind::data},
    {"Constraint Error", ErrorKind::data},
    {"Invalid Input Error", ErrorKind::data},
    {"Mismatch Type Error", ErrorKind::data},
    {"Decimal Error", ErrorKind::data},
    {"Divide by Zero Error", ErrorKind::data},
    {"Serialization Error", ErrorKind::corrupt},
    {"HTTP Error", ErrorKind::remote},
};

}  // namespace

Error to_error(std::string_view text, std::string_view library) {
    if (text.starts_with("INTERRUPT") || contains(text, "Interrupted!")) {
        return Error(ErrorKind::cancelled, "stopped on request");
    }
    // A statement that failed while it was started says so when it is asked to go on; the error is behind that.
    constexpr std::string_view started = "unsuccessful or closed pending query result\nError: ";
    if (const std::size_t at = text.find(started); at != std::string_view::npos) return to_error(text.substr(at + started.size()), library);
    // Looked for first: a full disk may come as an IO error, or inside the fatal error of the
    // checkpoint that met it.
    if (contains(text, errno_text(ENOSPC)) || contains(text, errno_text(EDQUOT))) {
        return Error(ErrorKind::local, "the disk is full: {}", first_line(text));
    }
    // The second one is DuckDB 2.0's.
    if (contains(text, "database file with version number") || contains(text, "database file with storage version number") ||
        contains(text, "Unsupported Storage Version")) {
        return version_error(text, library);
    }
    // What does not fit while a commit writes its rows comes as an error of the transaction.
    if (text.starts_with("Out of Memory Error") || contains(text, "failed to pin block") || contains(text, "could not allocate block")) {
        return memory_error(text);
    }
    if (text.starts_with("IO Error")) return io_error(text);
    for (const Rule& rule : rules) {
        if (!text.starts_with(rule.start)) continue;
        // The whole text for people's own SQL, where the second line points at the place, and for CSV, where the first one says only that there
        // is an error.
        const bool is_whole = rule.kind == ErrorKind::usage || contains(text, "CSV Error on Line");
        return Error(rule.kind, "{}", is_whole ? text : first_line(text));
    }
    if (contains(text, "PRIMARY KEY or UNIQUE constraint"))
        return Error(ErrorKind::data, "{}", first_line(text));
    return Error(ErrorKind::local, "{}", first_line(text));
}

}  // namespace tipple::engine
