#pragma once

#include <cstddef>
#include <cstdint>

/// Named limits. Everything that could grow without bound has its bound here or in a constructor argument.
namespace tipple::limits {

/// Rows of one DuckDB row group; the load stage feeds the engine batches of exactly this size, never more.
inline constexpr std::int64_t row_group_rows = 122'880;

/// Default size of a page of raw JSON. About the second-level cache of a core: the shredder's input and output stay in it.
inline constexpr std::size_t page_bytes = std::size_t{1} << 20;

/// Bytes that must be readable behind any JSON text given to the parser.
inline constexpr std::size_t json_padding = 64;

/// Objects and lists inside each other in one record. Also what the parser refuses beyond.
inline constexpr int json_depth_max = 1'000;

/// Default of how long a load waits, all attempts together, for an error to pass.
inline constexpr double retry_budget_seconds_default = 60;

/// Seconds in which the row that a store refused is looked for.
inline constexpr double row_search_seconds_max = 10;

/// Default memory budget of the whole process.
inline constexpr std::size_t memory_default = std::size_t{512} << 20;
inline constexpr std::size_t memory_min = std::size_t{128} << 20;
/// Of the budget: what the program itself takes while a package is loaded: code, libraries, the package's description.
inline constexpr std::size_t program_bytes = std::size_t{64} << 20;

/// Columns of one table. DuckDB and Postgres end far below.
inline constexpr std::size_t columns_max = 20'000;

/// Bytes of one Arrow text or binary buffer: offsets are int32.
inline constexpr std::size_t text_buffer_bytes_max = 0x7fff'0000;

/// Bad records that are named one by one in the report; the rest is counted.
inline constexpr std::size_t bad_records_named_max = 10;

/// Records that share a cursor's last value and are remembered by the reference's hashes. Beyond, a compact form of our own takes their place.
inline constexpr std::size_t cursor_hashes_max = 10'000;
/// Of those in the compact form, 4 to 8 bytes each in every state that is stored.
inline constexpr std::size_t cursor_records_max = 8'000'000;

/// Different notes about the data that a page, and a run, keeps.
inline constexpr std::size_t data_notes_max = 100;

}  // namespace tipple::limits
