#include "tipple/core/signature.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "tipple/core/error.h"

namespace tipple {

namespace {

struct Deleter {
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

std::string sign_rs256(std::string_view message, const std::string& private_key_pem, const std::string& password) {
    const std::unique_ptr<BIO, Deleter> pem(BIO_new_mem_buf(private_key_pem.data(), static_cast<int>(private_key_pem.size())));
    // A password is always given, so that the library never asks for one on the terminal.
    const std::unique_ptr<EVP_PKEY, Deleter> key(PEM_read_bio_PrivateKey(pem.get(), nullptr, nullptr, const_cast<char*>(password.c_str())));
    if (key == nullptr || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) {
        throw Error(ErrorKind::usage, "the private key is no RSA key in PEM form{}", password.empty() ? ", or it needs a password" : ", or the password is wrong");
    }
    const std::unique_ptr<EVP_MD_CTX, Deleter> context(EVP_MD_CTX_new());
    std::string signature;
    std::size_t size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
    bool is_done = EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 && EVP_DigestSign(context.get(), nullptr, &size, bytes, message.size()) == 1;
    signature.resize(size);
    is_done = is_done && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes, message.size()) == 1;
    if (!is_done) throw Error(ErrorKind::usage, "the private key cannot sign");
    signature.resize(size);
    return signature;
}

}  // namespace tipple
