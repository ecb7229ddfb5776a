#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tipple/json/path.h"
#include "tipple/json/value.h"
#include "tipple/sources/rest_api/paginator.h"

/// What is found out of answers where nobody says it.
namespace tipple::sources::rest {

/// How many levels of a document are looked at.
inline constexpr int outline_depth = 4;

/// Where a page's records are.
struct SelectorGuess {
    enum class Kind {
        records,  ///< a list of objects, or the whole document when it is a list
        nothing,  ///< the page looks like one without records; another one may tell more
        entity,   ///< the document is one record
    };
    Kind kind = Kind::entity;
    json::Path path = {};
};
SelectorGuess guess_selector(const json::Value& outline);

struct PaginatorGuess {
    PaginatorSpec spec;
    /// Of page_number: whether the page said its number; else the next page has to tell what counting begins with.
    bool knows_base = true;
    std::string description;
};
/// `outline` is that of a first page that was asked for without parameters.
PaginatorGuess guess_paginator(const io::HttpHeaders& headers, const json::Value& outline);

/// Finds out on the first page what it is.
std::unique_ptr<Paginator> make_detecting_paginator();

}  // namespace tipple::sources::rest
