// The bare program that loads into Postgres are compared with: it sends bytes that were dumped before by COPY BINARY, one table after the other over one
// connection, in one transaction, into tables that it makes.
//
//   copy_binary dump URL SCHEMA FOLDER   every table of SCHEMA to FOLDER/TABLE.copy
//   copy_binary load URL SCHEMA FOLDER   into tables of a new schema `bare`, made like those of SCHEMA

#include <libpq-fe.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t piece_bytes = std::size_t{1} << 20;

struct Close {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using Connection = std::unique_ptr<PGconn, Close>;
using Result = std::unique_ptr<PGresult, Close>;
using File = std::unique_ptr<std::FILE, Close>;

Result run(PGconn* connection, const std::string& sql, ExecStatusType expected) {
    Result result(PQexec(connection, sql.c_str()));
    if (PQresultStatus(result.get()) != expected) throw std::runtime_error(sql + ": " + PQerrorMessage(connection));
    return result;
}

File open(const std::string& path, const char* mode) {
    File file(std::fopen(path.c_str(), mode));
    if (file == nullptr) throw std::runtime_error("cannot open " + path);
    return file;
}

std::vector<std::string> tables_of(PGconn* connection, const std::string& schema) {
    const Result result = run(connection, "SELECT table_name FROM information_schema.tables WHERE table_schema = '" + schema + "' ORDER BY 1", PGRES_TUPLES_OK);
    std::vector<std::string> tables;
    for (int row = 0; row < PQntuples(result.get()); ++row) tables.emplace_back(PQgetvalue(result.get(), row, 0));
    return tables;
}

void dump(PGconn* connection, const std::string& table, const std::string& path) {
    run(connection, "COPY " + table + " TO STDOUT (FORMAT binary)", PGRES_COPY_OUT);
    const File file = open(path, "wb");
    char* row = nullptr;
    for (int bytes = 0; (bytes = PQgetCopyData(connection, &row, 0)) > 0; PQfreemem(row)) {
        if (std::fwrite(row, 1, static_cast<std::size_t>(bytes), file.get()) != static_cast<std::size_t>(bytes)) throw std::runtime_error("cannot write " + path);
    }
    while (const Result result = Result(PQgetResult(connection))) {
        if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) throw std::runtime_error(PQerrorMessage(connection));
    }
}

void load(PGconn* connection, const std::string& table, const std::string& path) {
    run(connection, "COPY " + table + " FROM STDIN (FORMAT binary, FREEZE)", PGRES_COPY_IN);
    const File file = open(path, "rb");
    const auto piece = std::make_unique<std::array<char, piece_bytes>>();
    for (std::size_t bytes = 0; (bytes = std::fread(piece->data(), 1, piece->size(), file.get())) > 0;) {
        if (PQputCopyData(connection, piece->data(), static_cast<int>(bytes)) != 1) throw std::runtime_error(PQerrorMessage(connection));
    }
    if (PQputCopyEnd(connection, nullptr) != 1) throw std::runtime_error(PQerrorMessage(connection));
    while (const Result result = Result(PQgetResult(connection))) {
        if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) throw std::runtime_error(PQerrorMessage(connection));
    }
}

int run_program(const std::string& action, const char* url, const std::string& schema, const std::string& folder) {
    const Connection connection(PQconnectdb(url));
    if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
    const std::vector<std::string> tables = tables_of(connection.get(), schema);
    const auto path = [&](const std::string& table) { return folder + "/" + table + ".copy"; };
    if (action == "dump") {
        for (const std::string& table : tables) dump(connection.get(), schema + "." + table, path(table));
        return EXIT_SUCCESS;
    }
    run(connection.get(), "BEGIN", PGRES_COMMAND_OK);
    run(connection.get(), "CREATE SCHEMA bare", PGRES_COMMAND_OK);
    for (const std::string& table : tables) {
        run(connection.get(), "CREATE TABLE bare." + table + " (LIKE " + schema + "." + table + " INCLUDING ALL)", PGRES_COMMAND_OK);
        load(connection.get(), "bare." + table, path(table));
    }
    run(connection.get(), "COMMIT", PGRES_COMMAND_OK);
    return EXIT_SUCCESS;
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view action = count == 5 ? arguments[1] : "";
    if (action != "dump" && action != "load") {
        std::fputs("usage: copy_binary dump|load URL SCHEMA FOLDER\n", stderr);
        return EXIT_FAILURE;
    }
    try {
        return run_program(std::string(action), arguments[2], arguments[3], arguments[4]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "copy_binary: %s\n", error.what());
        return EXIT_FAILURE;
    }
}
