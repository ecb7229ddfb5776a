#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tipple/json/value.h"
#include "tipple/normalize/page_result.h"
#include "tipple/schema/schema.h"

namespace tipple::normalize {

/// The one writer of a run's schema. Workers read snapshots; proposals are admitted one page after the other, in the order of pages, which
/// is why the result does not depend on how many workers there are.
class SchemaWriter {
public:
    explicit SchemaWriter(schema::Schema start);

    /// The schema as admitted so far. Any thread.
    std::shared_ptr<const schema::Schema> snapshot() const;

    enum class Admission {
        admitted,
        conflict,  ///< a column has another type by now: shred the page again, against a new snapshot
    };
    /// All of a page's proposals or none. One thread at a time.
    Admission admit(const std::vector<TableProposal>& proposals);

    /// Changes a table outside of any page: resource hints, marks.
    void set_table(schema::Table table);

    /// Back to an earlier state of this run's schema, because what was admitted since is read again.
    void reset(schema::Schema earlier);

    /// A part of the run is loaded: this is what the next one begins with.
    void begin_part(schema::Schema loaded);

    /// What was added since the start, or since the part began: table -> list of column names.
    json::Object change() const;

private:
    void publish(schema::Schema schema);

    mutable std::mutex mutex_;
    std::shared_ptr<const schema::Schema> current_;
    std::shared_ptr<const schema::Schema> start_;
};

}  // namespace tipple::normalize
