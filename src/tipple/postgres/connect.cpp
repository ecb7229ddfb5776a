#include "tipple/postgres/connect.h"

#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "tipple/core/error.h"
#include "tipple/postgres/failure.h"
#include "tipple/postgres/libpq_library.h"

namespace tipple::postgres {

namespace {

using Clock = std::chrono::steady_clock;

struct Finish {
    void operator()(PGconn* connection) const { libpq().PQfinish(connection); }
};
using Handle = std::unique_ptr<PGconn, Finish>;

std::string text_of(const char* text) { return text == nullptr ? "" : text; }

/// Becomes readable when it is told to stop.
class StopSignal {
public:
    explicit StopSignal(const std::stop_token& stop) : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (descriptor_ < 0) throw Error(ErrorKind::local, "no more files can be opened for a connection: {}", std::generic_category().message(errno));
        callback_.emplace(stop, Ring{descriptor_});
    }
    ~StopSignal() {
        callback_.reset();
        close(descriptor_);
    }
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;
    int descriptor() const { return descriptor_; }

private:
    struct Ring {
        int descriptor;
        void operator()() const noexcept { eventfd_write(descriptor, 1); }
    };
    int descriptor_;
    std::optional<std::stop_callback<Ring>> callback_;
};

/// How long each address may take to answer; nothing = without end.
std::optional<std::chrono::seconds> find_timeout(const Target& target) {
    const std::string_view text = target.parameter("connect_timeout");
    int seconds = 0;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (seconds <= 0) return std::nullopt;
    // As libpq has it.
    constexpr int seconds_min = 2;
    return std::chrono::seconds(std::max(seconds, seconds_min));
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> parts;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find(',', start), text.size());
        parts.emplace_back(text.substr(start, end - start));
        start = end + 1;
    }
    return parts;
}

/// One place to ask, as libpq writes it in its lists.
struct Address {
    std::string host;
    std::string hostaddr;
    std::string port;
};

/// What a name stands for, in the order in which the system gives it; the name alone when it stands for nothing, so that libpq says what is wrong.
std::vector<Address> look_up(const Address& named) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(named.host.c_str(), nullptr, &hints, &found) != 0) return {named};
    std::vector<Address> addresses;
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
        std::array<char, NI_MAXHOST> text{};
        if (getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), static_cast<socklen_t>(text.size()), nullptr, 0, NI_NUMERICHOST) != 0) continue;
        addresses.push_back({.host = named.host, .hostaddr = text.data(), .port = named.port});
    }
    freeaddrinfo(found);
    return addresses;
}

/// All that a connection would be tried with, one address each: what was given, and what environment and service file add.
std::vector<Address> addresses_of(PGconn* connection) {
    std::map<std::string, std::vector<std::string>> lists;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(libpq().PQconninfo(connection), libpq().PQconninfoFree);
    for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
        if (option->val != nullptr) lists[option->keyword] = split_list(option->val);
    }
    const auto at = [&](const char* keyword, std::size_t index) {
        const std::vector<std::string>& list = lists[keyword];
        if (list.size() == 1 && std::string_view(keyword) == "port") return list.front();
        return index < list.size() ? list[index] : std::string();
    };
    std::vector<Address> addresses;
    for (std::size_t i = 0; i < std::max(lists["host"].size(), lists["hostaddr"].size()); ++i) {
        const Address given{.host = at("host", i), .hostaddr = at("hostaddr", i), .port = at("port", i)};
        const bool is_name = given.hostaddr.empty() && !given.host.empty() && !given.host.starts_with('/') && !given.host.starts_with('@');
        for (Address& each : is_name ? look_up(given) : std::vector<Address>{given}) addresses.push_back(std::move(each));
    }
    return addresses;
}

/// `addresses`: nothing = as the target says.
Handle start(const Target& target, const std::vector<Address>& addresses) {
    std::map<std::string, std::string> parameters(target.parameters.begin(), target.parameters.end());
    if (!addresses.empty()) {
        for (const char* keyword : {"host", "hostaddr", "port"}) parameters[keyword].clear();
        for (std::size_t i = 0; i < addresses.size(); ++i) {
            const std::string separator = i == 0 ? "" : ",";
            parameters["host"] += separator + addresses[i].host;
            parameters["hostaddr"] += separator + addresses[i].hostaddr;
            parameters["port"] += separator + addresses[i].port;
        }
    }
    std::vector<const char*> keywords;
    std::vector<const char*> values;
    for (const auto& [keyword, value] : parameters) {
        keywords.push_back(keyword.c_str());
        values.push_back(value.c_str());
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    Handle connection(libpq().PQconnectStartParams(keywords.data(), values.data(), 0));
    if (connection == nullptr) throw Error(ErrorKind::local, "not enough memory for a connection to {}", target.description);
    return connection;
}

/// Which of the places is being asked.
Address current(PGconn* connection) { return {.host = text_of(libpq().PQhost(connection)), .hostaddr = text_of(libpq().PQhostaddr(connection)), .port = text_of(libpq().PQport(connection))}; }

bool is_same(const Address& a, const Address& b) { return a.host == b.host && a.hostaddr == b.hostaddr && a.port == b.port; }

/// False when one of the addresses has not answered in time. `signal`: of `stop`.
bool await(PGconn* connection, const Target& target, const StopSignal& signal, const std::stop_token& stop) {
    const std::optional<std::chrono::seconds> timeout = find_timeout(target);
    std::optional<Address> asked;
    Clock::time_point deadline;
    PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
    while (wanted != PGRES_POLLING_OK && wanted != PGRES_POLLING_FAILED && libpq().PQstatus(connection) != CONNECTION_BAD) {
        if (const Address now = current(connection); timeout && (!asked || !is_same(*asked, now))) {
            deadline = Clock::now() + *timeout;
            asked = now;
        }
        int milliseconds = -1;
        if (timeout) {
            milliseconds = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count());
            if (milliseconds <= 0) return false;
        }
        std::array<pollfd, 2> sockets{{{.fd = libpq().PQsocket(connection), .events = static_cast<short>(wanted == PGRES_POLLING_WRITING ? POLLOUT : POLLIN), .revents = 0},
                                       {.fd = signal.descriptor(), .events = POLLIN, .revents = 0}}};
        if (poll(sockets.data(), sockets.size(), milliseconds) < 0 && errno != EINTR) {
            throw Error(ErrorKind::local, "the connection to {} cannot be waited for: {}", target.description, std::generic_category().message(errno));
        }
        if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped on request");
        if (sockets[0].revents != 0) wanted = libpq().PQconnectPoll(connection);
    }
    return true;
}

}  // namespace

PGconn* connect(const Target& target, const std::stop_token& stop) {
    if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped on request");
    const StopSignal signal(stop);
    Handle connection = start(target, {});
    std::vector<Address> left;
    while (!await(connection.get(), target, signal, stop)) {
        // libpq goes on to the next address when one refuses, but from outside it cannot be told to.
        const Address silent = current(connection.get());
        if (left.empty()) left = addresses_of(connection.get());
        const std::size_t before = left.size();
        std::erase_if(left, [&](const Address& each) {
            return each.port == silent.port && (each.hostaddr.empty() ? each.host == silent.host : each.hostaddr == silent.hostaddr);
        });
        if (left.empty() || left.size() == before) throw connection_error("timeout expired", target.description);
        connection = start(target, left);
    }
    if (libpq().PQstatus(connection.get()) != CONNECTION_OK) throw connection_error(libpq().PQerrorMessage(connection.get()), target.description);
    return connection.release();
}

}  // namespace tipple::postgres
