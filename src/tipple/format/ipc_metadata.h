#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include "tipple/format/arrow_ipc.h"

namespace tipple::format {

/// A struct of two numbers, as the metadata stores nodes (length, null count) and buffers (offset,
/// length).
struct FlatPair {
    std::int64_t first = 0;
    std::int64_t second = 0;
};

/// Appends the header of a record batch message. `builder` is scratch memory.
void append_record_batch_header(std::string& out, flatbuffers::FlatBufferBuilder& builder,
                                std::size_t rows, const std::vector<FlatPair>& nodes,
                                const std::vector<FlatPair>& buffers, Compression compression,
                                std::size_t body_bytes);

}  // namespace tipple::format
