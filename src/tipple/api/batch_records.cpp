#include "tipple/api/batch_records.h"

#include "tipple/columns/value_at.h"

namespace tipple::api {

Records to_records(const columns::Batch& batch) {
    const columns::BatchView view = batch.view();
    Records records;
    records.reserve(view.rows);
    for (std::size_t row = 0; row < view.rows; ++row) {
        Object fields;
        fields.reserve(view.columns.size());
        for (std::size_t i = 0; i < view.columns.size(); ++i) fields.push_back({std::string(view.names[i]), columns::exact_value_at(view.columns[i], row)});
        records.emplace_back(std::move(fields));
    }
    return records;
}

}  // namespace tipple::api
