use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{
        CertificateDer, PrivateKeyDer, ServerName, UnixTime,
        pem::{self, PemObject, SectionKind},
    },
};
use rustls_platform_verifier::Verifier;

use super::super::ConfigError;

/// Whose certificates are taken.
pub(super) struct Trust {
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) system: System,
}

/// Whether those of the system are taken too.
pub(super) enum System {
    No,
    Yes,
    /// They are read when the first certificate comes, and may be missing until then.
    WhenNeeded,
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
    let builder = match trust.system {
        System::No => builder.with_root_certificates(parsed(trust.roots.iter()).map_err(refused)?),
        System::Yes => {
            let verifier =
                Verifier::new_with_extra_roots(trust.roots, provider).map_err(refused)?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        }
        System::WhenNeeded => {
            // What is wrong with those that were given shows now.
            parsed(trust.roots.iter()).map_err(refused)?;
            let verifier = LateVerifier { roots: trust.roots, provider, inner: OnceLock::new() };
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        }
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

fn parsed<'a>(
    mut roots: impl Iterator<Item = &'a CertificateDer<'static>>,
) -> Result<RootCertStore, rustls::Error> {
    let mut store = RootCertStore::empty();
    roots.try_for_each(|root| store.add(root.clone()))?;
    Ok(store)
}

/// Trusts as [`Verifier`] does, and reads the system's certificates when it has to: that
/// takes milliseconds, and there may be none. A client of plain HTTP needs them only
/// where a redirect leads to TLS.
#[derive(Debug)]
struct LateVerifier {
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    inner: OnceLock<Result<Verifier, rustls::Error>>,
}

impl ServerCertVerifier for LateVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let provider = || Arc::clone(&self.provider);
        let read = || Verifier::new_with_extra_roots(self.roots.iter().cloned(), provider());
        let inner = self.inner.get_or_init(read).as_ref().map_err(Clone::clone)?;
        inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
