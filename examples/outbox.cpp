// A destination that is a function: rows are appended to a text file, as they might be sent to a queue or an API.
//
//   outbox load ORDERS.jsonl outbox://
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "tipple/tipple.h"

namespace {

/// A batch that came before, because a run died behind it, has the same load id and number: whoever reads the file can leave it out.
void send(const tipple::RowBatch& batch) {
    const char* path = std::getenv("OUTBOX");
    std::ofstream file(path != nullptr ? path : "outbox.txt", std::ios::app);
    for (const tipple::Record& row : batch.rows) {
        file << batch.table.name() << ' ' << batch.load_id << ' ' << batch.number << " id=" << row.get<std::int64_t>("id").value_or(0) << '\n';
    }
    if (!file.flush()) throw std::runtime_error("the outbox cannot be written");
}

}  // namespace

int main(int argc, char** argv) { return tipple::tipple_main(argc, argv, {}, {tipple::custom_destination("outbox", send, {.batch_rows = 100})}); }
