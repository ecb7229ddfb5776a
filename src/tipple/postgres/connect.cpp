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
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "tipple/core/error.h"
#include "tipple/postgres/failure.h"
#include "tipple/postgres/libpq_library.h"

namespace tipple::postgres {

namespace {

using Clock = std::chrono::steady_clock;

struct Owned {
    explicit Owned(PGconn* begun) : connection(begun) {}
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    ~Owned() { libpq().PQfinish(connection); }
    PGconn* connection;
};
/// Shared with a call that was left behind.
using Handle = std::shared_ptr<Owned>;

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

/// How long a call that is not looking a name up may take to end.
constexpr std::chrono::milliseconds leave_after{200};

/// What may look a name up does so on a thread of its own, since the system's resolver hears no request to stop: when one comes, the thread is left behind and ends with the answer,
/// which nobody takes. `call` owns what it needs. Throws Error(cancelled).
template <typename Call>
auto call_or_leave(const std::stop_token& stop, Call call) {
    struct Shared {
        std::mutex mutex;
        std::condition_variable_any done;
        std::optional<decltype(call())> result;
    };
    const auto shared = std::make_shared<Shared>();
    try {
        std::thread([shared, call = std::move(call)]() mutable {
            auto result = call();
            const std::lock_guard lock(shared->mutex);
            shared->result.emplace(std::move(result));
            shared->done.notify_all();
        }).detach();
    } catch (const std::system_error& reason) {
        throw Error(ErrorKind::local, "a thread for a connection cannot be started: {}", reason.what());
    }
    std::unique_lock lock(shared->mutex);
    const auto is_done = [&] { return shared->result.has_value(); };
    if (!shared->done.wait(lock, stop, is_done)) shared->done.wait_for(lock, leave_after, is_done);
    if (!is_done() || stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped on request");
    return *std::move(shared->result);
}

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

/// Of a connection that was begun: whether names may be left to look up, of several hosts.
bool has_more_names(PGconn* connection) {
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(libpq().PQconninfo(connection), libpq().PQconninfoFree);
    for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
        if (std::string_view(option->keyword) == "host" && option->val != nullptr) return std::string_view(option->val).find(',') != std::string_view::npos;
    }
    return false;
}

/// `addresses`: nothing = as the target says.
Handle start(const Target& target, const std::vector<Address>& addresses, const std::stop_token& stop) {
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
    Handle connection = call_or_leave(stop, [parameters = std::move(parameters)] {
        std::vector<const char*> keywords;
        std::vector<const char*> values;
        for (const auto& [keyword, value] : parameters) {
            keywords.push_back(keyword.c_str());
            values.push_back(value.c_str());
        }
        keywords.push_back(nullptr);
        values.push_back(nullptr);
        return std::make_shared<Owned>(libpq().PQconnectStartParams(keywords.data(), values.data(), 0));
    });
    if (connection->connection == nullptr) throw Error(ErrorKind::local, "not enough memory for a connection to {}", target.description);
    return connection;
}

/// Which of the places is being asked.
Address current(PGconn* connection) { return {.host = text_of(libpq().PQhost(connection)), .hostaddr = text_of(libpq().PQhostaddr(connection)), .port = text_of(libpq().PQport(connection))}; }

bool is_same(const Address& a, const Address& b) { return a.host == b.host && a.hostaddr == b.hostaddr && a.port == b.port; }

/// False when one of the addresses has not answered in time. `signal`: of `stop`.
bool await(const Handle& handle, const Target& target, const StopSignal& signal, const std::stop_token& stop) {
    PGconn* connection = handle->connection;
    const bool may_look_up = has_more_names(connection);
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
        if (sockets[0].revents == 0) continue;
        wanted = may_look_up ? call_or_leave(stop, [handle] { return libpq().PQconnectPoll(handle->connection); }) : libpq().PQconnectPoll(connection);
    }
    return true;
}

}  // namespace

PGconn* connect(const Target& target, const std::stop_token& stop) {
    if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped on request");
    const StopSignal signal(stop);
    Handle connection = start(target, {}, stop);
    std::vector<Address> left;
    while (!await(connection, target, signal, stop)) {
        // libpq goes on to the next address when one refuses, but from outside it cannot be told to.
        const Address silent = current(connection->connection);
        if (left.empty()) left = call_or_leave(stop, [connection] { return addresses_of(connection->connection); });
        const std::size_t before = left.size();
        std::erase_if(left, [&](const Address& each) {
            return each.port == silent.port && (each.hostaddr.empty() ? each.host == silent.host : each.hostaddr == silent.hostaddr);
        });
        if (left.empty() || left.size() == before) throw connection_error("timeout expired", target.description);
        connection = start(target, left, stop);
    }
    if (libpq().PQstatus(connection->connection) != CONNECTION_OK) throw connection_error(libpq().PQerrorMessage(connection->connection), target.description);
    return std::exchange(connection->connection, nullptr);
}

}  // namespace tipple::postgres
