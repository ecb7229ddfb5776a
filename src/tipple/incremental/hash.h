#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tipple/json/value.h"
#include "tipple/schema/value.h"

/// The hashes by which records at a cursor's last value are told apart. The recipe is the reference's: what it stored must be found again.
namespace tipple::incremental {

enum class HashForm : std::uint8_t {
    current,  ///< 12 characters; timestamps are microseconds
    legacy,   ///< 20 characters, timestamps as text: what the reference wrote before 1.29
};

/// The form of hashes that were stored: one that is legacy makes all legacy.
HashForm form_of(const std::vector<std::string>& hashes);

/// Of a key's value, a list of such, or a whole record.
std::string hash_of(const json::Value& document, HashForm form);

/// A typed value as it is hashed.
json::Value hashed_document(const schema::Value& value, HashForm form);

}  // namespace tipple::incremental
