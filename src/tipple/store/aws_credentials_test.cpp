#include "tipple/store/aws_credentials.h"

#include <map>

#include <gtest/gtest.h>

#include "support/http_server.h"
#include "support/temporary_folder.h"
#include "tipple/core/error.h"
#include "tipple/store/aws_profile.h"

namespace tipple::store {
namespace {

using support::Answer;
using support::HttpServer;
using support::SeenRequest;

class FakeClock final : public Clock {
public:
    std::int64_t now_us() const override { return now; }
    std::int64_t steady_ns() const override { return system_.steady_ns(); }
    std::int64_t now = 0;

private:
    SystemClock system_;
};

class AwsCredentialsTest : public testing::Test {
protected:
    io::Variables variables() {
        return [this](const std::string& name) -> std::optional<std::string> {
            const auto found = environment.find(name);
            return found == environment.end() ? std::nullopt : std::optional(found->second);
        };
    }
    std::shared_ptr<io::S3Credentials> make(const std::string& profile = "") {
        return ambient_credentials({.profile = profile, .region = "eu-west-1", .variables = variables(), .files = files_.get(), .clock = &clock_});
    }
    io::AccessKey key(const std::string& profile = "") { return make(profile)->key({}).value(); }
    std::string failure(const std::string& profile = "") {
        try {
            key(profile);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            return error.what();
        }
        return "no error";
    }
    void write(const std::string& name, const std::string& text) {
        files_->create_folders(io::parent_folder(folder_.path(name)));
        files_->write_text_durably(folder_.path(name), text);
    }

    support::TemporaryFolder folder_;
    std::unique_ptr<io::FileSystem> files_ = io::local_file_system();
    FakeClock clock_;
    std::map<std::string, std::string> environment = {{"HOME", folder_.path("")}, {"AWS_EC2_METADATA_DISABLED", "true"}};
};

TEST_F(AwsCredentialsTest, OfVariablesAndFiles) {
    EXPECT_NE(failure().find("no credentials"), std::string::npos);
    write(".aws/credentials", "[default]\naws_access_key_id = D\naws_secret_access_key = a#b=c/+ # a comment\n\n[ other ]\r\naws_access_key_id=O\r\naws_secret_access_key=s\r\naws_session_token=t\r\n");
    write(".aws/config", "[default]\nregion = eu-north-1\ns3 =\n  addressing_style = path\n[profile other]\nregion=us-west-2\n[profile role]\nrole_arn = arn:x\n[sso-session x]\nregion=y\n");
    EXPECT_EQ(key(), (io::AccessKey{.id = "D", .secret = "a#b=c/+"}));
    EXPECT_EQ(key("other"), (io::AccessKey{.id = "O", .secret = "s", .session_token = "t"}));
    EXPECT_EQ(AwsProfile::read(*files_, variables(), "other").find("region"), "us-west-2");
    EXPECT_EQ(AwsProfile::read(*files_, variables(), "").find("region"), "eu-north-1");
    EXPECT_NE(failure("role").find("export-credentials --profile role"), std::string::npos);
    EXPECT_NE(failure("missing").find("no profile \"missing\""), std::string::npos);
    environment["AWS_PROFILE"] = "other";
    EXPECT_EQ(key().id, "O");
    environment["AWS_ACCESS_KEY_ID"] = "E";
    EXPECT_NE(failure().find("AWS_SECRET_ACCESS_KEY is not"), std::string::npos);
    environment["AWS_SECRET_ACCESS_KEY"] = "e";
    EXPECT_EQ(key(), (io::AccessKey{.id = "E", .secret = "e"})) << "variables stand above files";
    EXPECT_EQ(key("default").id, "D") << "but below a profile that is asked for";
}

TEST_F(AwsCredentialsTest, OfAWebIdentity) {
    HttpServer server([](const SeenRequest& request) {
        EXPECT_EQ(request.body, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Arole&RoleSessionName=tipple&WebIdentityToken=the.token");
        return Answer{.body = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>W</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                              "<SessionToken>t" + std::to_string(request.number) + "</SessionToken><Expiration>1970-01-01T01:00:00Z</Expiration></Credentials>"
                              "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"};
    });
    write("token", "the.token\n");
    environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = folder_.path("token");
    environment["AWS_ROLE_ARN"] = "arn:role";
    environment["AWS_ENDPOINT_URL_STS"] = server.url();
    const auto credentials = make();
    EXPECT_EQ(credentials->key({}), (io::AccessKey{.id = "W", .secret = "s", .session_token = "t1"}));
    EXPECT_EQ(credentials->key({})->session_token, "t1");
    clock_.now = std::int64_t{56} * 60 * 1'000'000;
    EXPECT_EQ(credentials->key({})->session_token, "t2") << "it ends within five minutes";
    EXPECT_TRUE(credentials->renew({.id = "W", .secret = "s", .session_token = "t1"}, {})) << "that has happened already";
}

TEST_F(AwsCredentialsTest, OfAContainer) {
    HttpServer server([](const SeenRequest& request) {
        EXPECT_EQ(request.header("authorization"), "the token");
        return Answer{.body = R"({"AccessKeyId": "C", "SecretAccessKey": "s", "Token": "t", "Expiration": "1970-01-01T01:00:00Z"})"};
    });
    environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = server.url() + "/v1/credentials";
    environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "the token";
    EXPECT_EQ(key(), (io::AccessKey{.id = "C", .secret = "s", .session_token = "t"}));
}

TEST_F(AwsCredentialsTest, OfAMachine) {
    HttpServer server([](const SeenRequest& request) {
        if (request.method == "PUT") return Answer{.body = "session"};
        EXPECT_EQ(request.header("x-aws-ec2-metadata-token"), "session");
        return request.path.ends_with('/') ? Answer{.body = "the-role\n"} : Answer{.body = R"({"AccessKeyId": "M", "SecretAccessKey": "s", "Token": "t"})"};
    });
    environment["AWS_EC2_METADATA_DISABLED"] = "false";
    environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server.url();
    EXPECT_EQ(key().id, "M");
    EXPECT_EQ(server.seen().back().path, "/latest/meta-data/iam/security-credentials/the-role");
}

}  // namespace
}  // namespace tipple::store
