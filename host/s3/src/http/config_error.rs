/// A configuration that no client can be made of.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The endpoint cannot be used.
    #[error("invalid endpoint {endpoint:?}: {reason}")]
    Endpoint {
        /// The endpoint, without a password that may be in it.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// AWS needs a region, and nothing names one.
    #[error(
        "no region: AWS needs one; give the client a region, or set AWS_REGION, \
         AWS_DEFAULT_REGION or `region` in the profile of the AWS configuration file"
    )]
    NoRegion,
    /// The region's name cannot be one.
    #[error("invalid region {region:?}: it has 1 to 64 letters, digits, `-` or `_`")]
    Region {
        /// The region as given.
        region: String,
    },
    /// The key that was given cannot sign.
    #[error("the access key id or the secret access key that was given is empty")]
    EmptyKey,
    /// The file of certificates cannot be used.
    #[error("cannot use the certificates in {path:?}, which AWS_CA_BUNDLE names")]
    Certificates {
        /// The file.
        path: String,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The proxy cannot be used. Its address is not shown: it may hold a password.
    #[error("cannot use the proxy that {variable} names; write it as http://host:port")]
    Proxy {
        /// The variable that names it, or the method of the builder.
        variable: &'static str,
    },
    /// What `HttpS3Builder::root_certificates` was given cannot be used.
    #[error("no certificates to trust: {reason}; give them as PEM (`-----BEGIN CERTIFICATE-----`)")]
    RootCertificates {
        /// What is wrong.
        reason: String,
    },
    /// What `HttpS3Builder::identity` was given cannot be used. It is not shown.
    #[error(
        "the client certificate cannot be used: give it with its chain and its private key, \
         unencrypted, in one PEM text"
    )]
    Identity,
    /// The account is none.
    #[error("the expected bucket owner {account:?} is no account: it has 12 digits")]
    BucketOwner {
        /// The account as given.
        account: String,
    },
    /// A customer key would go over the network in plain.
    #[error(
        "a customer key cannot be sent to {endpoint}, where anyone on the way could read it; use \
         https"
    )]
    CustomerKeyInPlain {
        /// The endpoint.
        endpoint: String,
    },
    /// Parts cannot be as they were asked for.
    #[error("invalid multipart settings: {reason}")]
    Multipart {
        /// What is wrong, and what to set.
        reason: String,
    },
    /// The HTTP client could not be made.
    #[error("cannot set up HTTP and TLS")]
    Transport(#[source] Box<dyn std::error::Error + Send + Sync>),
}
