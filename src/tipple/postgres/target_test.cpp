#include <gtest/gtest.h>

#include <cstdlib>

#include "tipple/core/error.h"
#include "tipple/postgres/failure.h"
#include "tipple/postgres/target.h"

namespace tipple::postgres {
namespace {

class PostgresTarget : public testing::Test {
protected:
    void SetUp() override {
        for (const char* name : {"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE", "PGSERVICEFILE", "PGPASSWORD"}) unsetenv(name);
    }
    static Target of(const std::string& url, const std::vector<std::pair<std::string, std::string>>& parts = {}) {
        config::Options options;
        if (!url.empty()) options.set("url", url);
        for (const auto& [name, value] : parts) options.set(name, value);
        return parse_target(options);
    }
    static std::string refused(const std::string& url) {
        try {
            of(url);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            return error.what();
        }
        return "";
    }
};

TEST_F(PostgresTarget, RepairsWhatPeoplePaste) {
    EXPECT_EQ(repair_url("postgres://u:p@h/d"), "postgresql://u:p@h/d");
    EXPECT_EQ(repair_url("postgresql+psycopg2://u:p@h/d"), "postgresql://u:p@h/d");
    EXPECT_EQ(repair_url("postgresql://u:a@b/c#d%e%41@h:1/d?sslmode=require"), "postgresql://u:a%40b%2Fc%23d%25e%41@h:1/d?sslmode=require");
    EXPECT_EQ(repair_url("postgresql://u:p@h/d?pgbouncer=true&sslmode=require&connection_limit=1"), "postgresql://u:p@h/d?sslmode=require");
    EXPECT_EQ(repair_url("postgresql://h:5432/d@x"), "postgresql://h:5432/d@x") << "that is no user";
    EXPECT_EQ(repair_url("postgresql://?service=shop"), "postgresql://?service=shop");
}

TEST_F(PostgresTarget, NamesAPlaceTheSameHoweverItIsWritten) {
    const Target target = of("postgresql://u:s3cret@Host/shop");
    EXPECT_EQ(target.description, "postgresql://host:5432/shop");
    EXPECT_EQ(target.parameter("password"), "s3cret");
    EXPECT_EQ(target.parameter("client_encoding"), "UTF8");
    EXPECT_EQ(target.parameter("options"), "") << "poolers refuse them";
    EXPECT_EQ(of("postgres://other@host:5432/shop?sslmode=require").identity, target.identity);
    EXPECT_EQ(of("", {{"host", "host"}, {"database", "shop"}, {"username", "u"}, {"password", "x"}}).identity, target.identity);
    EXPECT_EQ(of("postgresql://u@wrong/shop", {{"host", "host"}}).identity, target.identity) << "parts win";
    setenv("PGHOST", "host", 1);
    EXPECT_EQ(of("postgresql:///shop").identity, target.identity);
    EXPECT_NE(of("postgresql://host/other").identity, target.identity);
    EXPECT_EQ(of("postgresql://u@a,b:6000/shop").description, "postgresql://a:5432,b:6000/shop");
    EXPECT_EQ(of("postgresql://u@/shop?host=/run/postgresql").description, "postgresql:///run/postgresql:5432/shop");
}

TEST_F(PostgresTarget, TellsProjectsOfAPoolerApart) {
    const Target one = of("postgresql://postgres.abc:x@aws-0-eu-central-1.pooler.supabase.com:6543/postgres");
    const Target other = of("postgresql://postgres.xyz:x@aws-0-eu-central-1.pooler.supabase.com:6543/postgres");
    EXPECT_NE(one.identity, other.identity);
    const std::string message = refused("postgresql://postgres:s3cret@aws-0-eu-central-1.pooler.supabase.com:6543/postgres");
    EXPECT_NE(message.find("postgres.<project reference>"), std::string::npos) << message;
}

TEST_F(PostgresTarget, NeverQuotesAPassword) {
    for (const char* url : {"postgresql://u:s3/cret", "postgresql://u:s3cret@[::1/d", "postgresql://u:s3cret%00@h/d", "postgresql://u:s3cret@h/d?what=1"}) {
        EXPECT_NE(refused(url), "") << url;
        EXPECT_EQ(refused(url).find("s3"), std::string::npos) << refused(url);
    }
    EXPECT_NE(refused("postgresql://u:s3cret@h/d?what=1").find("what"), std::string::npos);
}

ErrorKind kind(const char* state, const char* message = "") {
    return kind_of({.state = state, .message = message, .detail = "", .hint = "", .column = ""});
}

TEST(PostgresFailure, OnlyWhatPassesByItselfIsTransient) {
    for (const char* state : {"", "08006", "57P01", "57P03", "40001", "40P01", "53300", "42P07"}) EXPECT_EQ(kind(state), ErrorKind::transient) << state;
    EXPECT_EQ(kind("23505", "duplicate key value violates unique constraint \"pg_type_typname_nsp_index\""), ErrorKind::transient);
    EXPECT_EQ(kind("23505", "duplicate key value violates unique constraint \"t_key\""), ErrorKind::data);
    EXPECT_EQ(kind("22001"), ErrorKind::data);
    EXPECT_EQ(kind("55P03"), ErrorKind::locked);
    EXPECT_EQ(kind("42501"), ErrorKind::usage);
    for (const char* state : {"53100", "57014", "XX000", "0A000"}) EXPECT_EQ(kind(state), ErrorKind::remote) << state;
}

TEST(PostgresFailure, SaysWhatKeepsAConnectionFromBeingMade) {
    const std::pair<const char*, const char*> cases[] = {
        {"connection to server at \"h\" (2a05:d014:1c06:5f05::1), port 5432 failed: Network is unreachable", "IPv6"},
        {"connection to server at \"2001:db8::1\", port 5432 failed: No route to host\n\tIs the server running on that host and accepting TCP/IP connections?", "IPv6"},
        {"connection to server at \"h\" (10.1.2.3), port 5432 failed: No route to host", "VPN"},
        {"connection to server at \"h\" (2a05:d014::1), port 5432 failed: Network is unreachable\nconnection to server at \"h\" (10.1.2.3), port 5432 failed: Connection refused",
         "nothing listens"},
        {"connection to server at \"a\" (10.1.2.3), port 1 failed: Network is unreachable\nconnection to server at \"b\" (10.1.2.4), port 1 failed: Network is unreachable", "VPN"},
        {"could not translate host name \"db.abc.supabase.co\" to address: Name or service not known", "paused"},
        {"FATAL:  Tenant or user not found", "postgres.<project reference>"},
        {"connection to server at \"aws-1-eu-central-1.pooler.supabase.com\" (3.65.151.229), port 6543 failed: FATAL:  (ENOTFOUND) tenant/user postgres.abc not found",
         "postgres.<project reference>"},
        {"FATAL:  endpoint is disabled. Enable it using the API and retry", "paused: enable it"},
        {"ERROR:  The endpoint has been disabled. Enable it using Neon API and retry.", "paused: enable it"},
        {"ERROR:  Your account or project has exceeded the compute time quota. Upgrade your plan to increase limits.", "quota"},
        {"FATAL:  Max client connections reached", "all connections of the pooler are taken"},
        {"FATAL:  the compute has been suspended", "paused: resume it"},
        {"FATAL:  no pg_hba.conf entry for host \"1.2.3.4\", user \"u\", database \"d\", no encryption", "sslmode=require"},
        {"server does not support SSL, but SSL was required", "no TLS"},
        {"FATAL:  sorry, too many clients already", "all connections are taken"},
        {"FATAL:  too many connections for role \"x\"", "all connections are taken"},
        {"FATAL:  MaxClientsInSessionMode: max clients reached", "6543"},
        {"FATAL:  unsupported startup parameter: options", "options"},
        {"FATAL:  role \"x\" does not exist", "no such user"},
        {"FATAL:  database \"x\" does not exist", "CREATE DATABASE"},
        {"connection to server failed: Connection refused", "nothing listens"},
        {"connection to server on socket \"/run/.s.PGSQL.5432\" failed: No such file or directory\n\tIs the server running locally and accepting connections on that socket?",
         "at that socket"},
        {"definition of service \"x\" not found", "no such service"},
        {"service file \"/x\" not found", "PGSERVICEFILE"},
        {"invalid sslmode value: \"foo\"", "this parameter"},
        {"invalid port number: \"99999\"", "port"},
        {"could not match 3 port numbers to 2 hosts", "one for each"},
        {"connection to server at \"h\" (1.2.3.4), port 80 failed: received invalid response to SSL negotiation: H", "no Postgres server"},
    };
    for (const auto& [message, remedy] : cases) {
        const std::string text = connection_error(message, "postgresql://db.abc.supabase.co:5432/x").what();
        EXPECT_NE(text.find(remedy), std::string::npos) << text;
    }
}

}  // namespace
}  // namespace tipple::postgres
