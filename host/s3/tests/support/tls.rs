//! TLS in front of a scripted server, with an authority of its own.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::{
    io::{AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{RootCertStore, ServerConfig, pki_types::PrivateKeyDer, server::WebPkiClientVerifier},
};

use super::Server;

/// Signs the certificates of servers and of clients.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub(crate) struct Signed {
    pub(crate) certificate: rcgen::Certificate,
    pub(crate) key: KeyPair,
}

impl Signed {
    /// Both in one text, as a client takes them.
    pub(crate) fn pem(&self) -> String {
        self.certificate.pem() + &self.key.serialize_pem()
    }
}

impl Authority {
    pub(crate) fn new() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let mut params = CertificateParams::new([]).unwrap();
        // Two of one name would be taken for each other.
        let name = format!("authority {}", MADE.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for this name.
    pub(crate) fn sign(&self, name: &str) -> Signed {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        Signed { certificate: params.signed_by(&key, &self.0).unwrap(), key }
    }

    /// A port with TLS in front of the server, for this name.
    pub(crate) async fn in_front_of(&self, server: &Server, name: &str) -> u16 {
        self.listen(server, name, None).await
    }

    /// The same, for clients with a certificate of `clients` alone.
    pub(crate) async fn for_clients_of(&self, clients: &Self, server: &Server, name: &str) -> u16 {
        self.listen(server, name, Some(clients)).await
    }

    async fn listen(&self, server: &Server, name: &str, clients: Option<&Self>) -> u16 {
        let Signed { certificate, key } = self.sign(name);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let builder = match clients {
            None => ServerConfig::builder().with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.0.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
                ServerConfig::builder().with_client_cert_verifier(verifier)
            }
        };
        let config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, behind) = (listener.local_addr().unwrap().port(), server.port);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut tls = match acceptor.accept(socket).into_fallible().await {
                        Ok(tls) => tls,
                        Err((_, mut socket)) => {
                            // Closed with bytes unread, the other side would see a reset
                            // and not the alert that says why.
                            let _ = socket.shutdown().await;
                            let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
                            return;
                        }
                    };
                    let mut plain = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
                    let _ = copy_bidirectional(&mut tls, &mut plain).await;
                });
            }
        });
        port
    }
}
