#include "tipple/io/s3_xml.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::io {
namespace {

TEST(S3Xml, Pages) {
    const S3Page page = parse_s3_page(R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
<NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
<Contents><Key>a%2Bb+c/%C3%A9%0A.csv</Key><LastModified>2009-10-12T17:50:30.999Z</LastModified><ETag>&quot;fba9&quot;</ETag><Size>434234</Size></Contents>
<Contents><Key>folder/</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified><ETag>"d41d"</ETag><Size>0</Size></Contents>
<Contents><Key>no-time</Key><Size>18446744073709551615</Size></Contents></ListBucketResult>)");
    ASSERT_EQ(page.objects.size(), 2U);
    EXPECT_EQ(page.objects[0], (ObjectInfo{.key = "a+b c/\xc3\xa9\n.csv", .size = 434'234, .modified_ns = 1'255'369'830'000'000'000, .etag = "fba9"}));
    EXPECT_EQ(page.objects[1], (ObjectInfo{.key = "no-time", .size = UINT64_MAX}));
    EXPECT_EQ(page.next_token, "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=");
    EXPECT_EQ(parse_s3_page("<ListBucketResult><Contents><Key>a+b%20</Key><Size>1</Size></Contents></ListBucketResult>").objects[0].key, "a+b%20") << "not encoded";
}

TEST(S3Xml, WhatIsNoPage) {
    for (const char* body : {"", "<html><body>sign in</body></html>", "<ListBucketResult><Contents>", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
                             "<ListBucketResult><Contents><Key>a</Key><Size>many</Size></Contents></ListBucketResult>"}) {
        EXPECT_THROW(parse_s3_page(body), Error) << body;
    }
    // Nothing is looked up outside of the document.
    EXPECT_THROW(parse_s3_page("<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>"), Error);
}

TEST(S3Xml, Refusals) {
    const S3Refusal refusal = parse_s3_refusal("<Error><Code>AuthorizationHeaderMalformed</Code><Message>a &amp; b</Message><Region>eu-west-1</Region></Error>");
    EXPECT_EQ(refusal.code, "AuthorizationHeaderMalformed");
    EXPECT_EQ(refusal.message, "a & b");
    EXPECT_EQ(refusal.region, "eu-west-1");
    EXPECT_EQ(parse_s3_refusal("<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>").code, "AccessDenied");
    EXPECT_EQ(parse_s3_refusal("upstream timed out").code, "");
    EXPECT_EQ(parse_s3_refusal("<Result><Code>x</Code></Result>").code, "");
}

TEST(S3Xml, Uploads) {
    EXPECT_EQ(parse_s3_upload_id("<InitiateMultipartUploadResult><UploadId>VXBs</UploadId></InitiateMultipartUploadResult>"), "VXBs");
    EXPECT_THROW(parse_s3_upload_id("<InitiateMultipartUploadResult/>"), Error);
    S3UploadsPage page = parse_s3_uploads("<ListMultipartUploadsResult><Upload><Key>a</Key><UploadId>1</UploadId></Upload></ListMultipartUploadsResult>");
    ASSERT_EQ(page.uploads.size(), 1U);
    EXPECT_EQ(page.uploads[0].key + page.uploads[0].id, "a1");
    EXPECT_EQ(page.next_key, "");
    page = parse_s3_uploads("<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextKeyMarker>a+b%2Fc</NextKeyMarker>"
                            "<NextUploadIdMarker>7</NextUploadIdMarker></ListMultipartUploadsResult>");
    EXPECT_EQ(page.next_key + page.next_id, "a b/c7");
    EXPECT_THROW(parse_s3_uploads("<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>"), Error);
    EXPECT_TRUE(is_s3_completion_result("<?xml version=\"1.0\"?>\n\n  <CompleteMultipartUploadResult xmlns=\"x\"><Key>a</Key></CompleteMultipartUploadResult>"));
    for (const char* body : {"", "<html></html>", "<Error><Code>InternalError</Code></Error>", "CompleteMultipartUploadResult"}) EXPECT_FALSE(is_s3_completion_result(body)) << body;
    EXPECT_EQ(s3_completion({"x", "y"}),
              "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"x\"</ETag></Part><Part><PartNumber>2</PartNumber><ETag>\"y\"</ETag></Part>"
              "</CompleteMultipartUpload>");
}

TEST(S3Xml, TemporaryCredentials) {
    const StsCredentials found = parse_sts_credentials(
        "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey>"
        "<SessionToken>T</SessionToken><Expiration>2026-11-30T01:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>");
    EXPECT_EQ(found.access_key_id + found.secret_access_key + found.session_token + found.expiration, "AST2026-11-30T01:00:00Z");
    EXPECT_THROW(parse_sts_credentials("<AssumeRoleWithWebIdentityResponse/>"), Error);
}

}  // namespace
}  // namespace tipple::io
