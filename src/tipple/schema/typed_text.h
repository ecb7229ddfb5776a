#pragma once

#include <string_view>

/// Values that JSON does not have are texts behind one of these characters in the reference's files, and are hashed so.
namespace tipple::schema::typed_text {

inline constexpr std::string_view decimal_mark = "\uf026";
inline constexpr std::string_view timestamp_mark = "\uf027";
inline constexpr std::string_view date_mark = "\uf028";
inline constexpr std::string_view base64_mark = "\uf02b";
inline constexpr std::string_view wei_mark = "\uf02c";
inline constexpr std::string_view time_mark = "\uf02d";

}  // namespace tipple::schema::typed_text
