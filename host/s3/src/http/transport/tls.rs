use std::{fmt, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject, SectionKind},
    },
};
use rustls_platform_verifier::Verifier;

use super::super::ConfigError;

/// Whose certificates are taken.
pub(super) struct Trust {
    pub(super) roots: Vec<CertificateDer<'static>>,
    /// Those of the system too.
    pub(super) system: bool,
}

/// Who we are: a certificate, its chain, and its key.
pub(super) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Neither the PEM nor what a parser says of it is shown: there is a key in it.
    pub(super) fn parse(pem: &[u8]) -> Result<Self, ConfigError> {
        let (mut chain, mut key) = (Vec::new(), None);
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
            match section.map_err(|_| ConfigError::Identity)? {
                (SectionKind::Certificate, der) => chain.push(der.into()),
                (SectionKind::PrivateKey, der) => key = Some(PrivateKeyDer::Pkcs8(der.into())),
                (SectionKind::RsaPrivateKey, der) => key = Some(PrivateKeyDer::Pkcs1(der.into())),
                (SectionKind::EcPrivateKey, der) => key = Some(PrivateKeyDer::Sec1(der.into())),
                _ => return Err(ConfigError::Identity),
            }
        }
        match key {
            Some(key) if !chain.is_empty() => Ok(Self { chain, key }),
            _ => Err(ConfigError::Identity),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// The certificates of a PEM text.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, pem::Error> {
    CertificateDer::pem_slice_iter(pem).collect()
}

/// How TLS is spoken: by the process's provider of cryptography, where it has chosen
/// one, and else by AWS-LC.
pub(super) fn config(
    trust: Trust,
    identity: Option<Identity>,
) -> Result<Arc<ClientConfig>, ConfigError> {
    fn refused(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConfigError {
        ConfigError::Transport(error.into())
    }
    let provider = CryptoProvider::get_default()
        .cloned()
        .unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .map_err(refused)?;
    let builder = if trust.system {
        let verifier = Verifier::new_with_extra_roots(trust.roots, provider).map_err(refused)?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    } else {
        let mut store = RootCertStore::empty();
        for root in trust.roots {
            store.add(root).map_err(refused)?;
        }
        builder.with_root_certificates(store)
    };
    let mut config = match identity {
        Some(Identity { chain, key }) => {
            // Whether the key belongs to the certificate shows here.
            builder.with_client_auth_cert(chain, key).map_err(|_| ConfigError::Identity)?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
