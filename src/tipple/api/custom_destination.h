#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "tipple/api/record.h"
#include "tipple/destination/destination.h"
#include "tipple/schema/schema.h"

namespace tipple {

/// Rows of one table on their way into a program's own destination.
struct RowBatch {
    const schema::Table& table;
    /// What the rows do to those that are there is up to the function.
    Disposition disposition = Disposition::append;
    /// Rows that are loaded again after a failure come with the same load id and number as before.
    const std::string& load_id;
    /// Of the batch in its table, from 0.
    std::uint64_t number = 0;
    const Records& rows;
};

/// Takes rows. What it throws ends the load, and the rows wait to be loaded by the next run; Error(transient) has it called again soon.
using DestinationFunction = std::function<void(const RowBatch& batch)>;

/// How rows come to a function.
struct CustomDestinationOptions {
    std::size_t batch_rows = 1'000;
    /// How many objects and lists below a record are opened into columns and tables of their own; what lies deeper is a Json value.
    int max_nesting = 0;
    /// Whether rows have `_dlt_id` and the other columns that tie tables together.
    bool has_system_columns = false;
};

/// A destination that is a function. Tables, states and finished loads are remembered in a file in the pipeline's data folder, after the function has taken all rows
/// of a load: so every row comes at least once, and again, with the same load id and batch number, when a run died in between.
destination::DestinationEntry custom_destination(std::string name, DestinationFunction take, CustomDestinationOptions options = {});

}  // namespace tipple
