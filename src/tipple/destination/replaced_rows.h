#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "tipple/destination/sql_session.h"
#include "tipple/package/package.h"
#include "tipple/schema/schema.h"

namespace tipple::destination {

/// Takes away the rows of the load's tables that give way to the package's, in the transaction of the load and before any row comes. `number` makes the name
/// of a temporary table unique; `deleted` hears how many rows went from which table. Throws Error(usage) when rows are there that do not say which they are.
void delete_replaced(SqlSession& session, const schema::Schema& schema, const Catalog& catalog, const package::TableLoad& load, std::size_t number, std::stop_token stop,
                     const std::function<void(const std::string& table, std::uint64_t rows)>& deleted);

}  // namespace tipple::destination
