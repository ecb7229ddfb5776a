// The bare program that reads from Postgres are compared with: it takes the bytes of one COPY BINARY and throws them away. Prints bytes and seconds.
//
//   copy_out URL QUERY

#include <libpq-fe.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

struct Close {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
};

void run_program(const char* url, const std::string& query) {
    const std::unique_ptr<PGconn, Close> connection(PQconnectdb(url));
    const auto start = std::chrono::steady_clock::now();
    const std::unique_ptr<PGresult, Close> started(PQexec(connection.get(), ("COPY (" + query + ") TO STDOUT (FORMAT binary)").c_str()));
    if (PQresultStatus(started.get()) != PGRES_COPY_OUT) throw std::runtime_error(PQerrorMessage(connection.get()));
    unsigned long long bytes = 0;
    char* row = nullptr;
    for (int size = 0; (size = PQgetCopyData(connection.get(), &row, 0)) > 0; PQfreemem(row)) bytes += static_cast<unsigned long long>(size);
    while (const auto result = std::unique_ptr<PGresult, Close>(PQgetResult(connection.get()))) {
        if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) throw std::runtime_error(PQerrorMessage(connection.get()));
    }
    std::printf("%llu bytes, %.3f s\n", bytes, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: copy_out URL QUERY\n");
        return 2;
    }
    try {
        run_program(argv[1], argv[2]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
