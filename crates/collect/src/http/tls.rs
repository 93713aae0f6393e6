//! Whom to trust: the system's authorities, given files, and Docker's `certs.d` for single hosts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::crypto::CryptoProvider;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, TlsProvider, parse_pem};

use super::HttpSettings;
use crate::error::{Error, ErrorKind, Result};

/// Largest certificate or key file, in bytes (a system's whole bundle is a quarter of a megabyte).
const MAX_PEM: u64 = 4 << 20;

/// The TLS configuration for one `host[:port]`.
pub(super) fn config(settings: &HttpSettings, authority: &str) -> Result<TlsConfig> {
    let own = host_certificates(settings, authority)?;
    let mut extra = own.authorities;
    for file in &settings.ca_files {
        let before = extra.len();
        extra.extend(certificates(file)?);
        if extra.len() == before {
            return Err(Error::new(ErrorKind::Tls, format!("{} holds no PEM certificate", file.display())));
        }
    }
    let roots = if extra.is_empty() {
        RootCerts::PlatformVerifier
    } else {
        let system = rustls_native_certs::load_native_certs();
        extra.extend(system.certs.iter().map(|der| Certificate::from_der(der).to_owned()));
        RootCerts::Specific(Arc::new(extra))
    };
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(crypto())
        .root_certs(roots)
        .client_cert(own.client)
        .disable_verification(settings.insecure)
        .build())
}

fn crypto() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider())).clone()
}

#[derive(Default)]
struct HostCertificates {
    authorities: Vec<Certificate<'static>>,
    client: Option<ClientCert>,
}

/// What `certs.d/<host[:port]>/` holds: `*.crt` are authorities, `NAME.cert` with `NAME.key` a client certificate.
fn host_certificates(settings: &HttpSettings, authority: &str) -> Result<HostCertificates> {
    let mut found = HostCertificates::default();
    // The name comes from a parsed address; a separator could still not leave the directory.
    if authority.is_empty() || authority.contains('/') || authority.starts_with('.') {
        return Ok(found);
    }
    for directory in &settings.certificate_directories {
        let Ok(entries) = fs::read_dir(directory.join(authority)) else { continue };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => found.authorities.extend(certificates(&path)?),
                Some("cert") if found.client.is_none() => {
                    let chain = certificates(&path)?;
                    let key = PrivateKey::from_pem(&read(&path.with_extension("key"))?)
                        .map_err(|_| unusable(&path.with_extension("key"), "holds no private key"))?;
                    found.client = Some(ClientCert::new_with_certs(&chain, key));
                }
                _ => {}
            }
        }
    }
    Ok(found)
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>> {
    let pem = read(path)?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(unusable(path, "is not a PEM file")),
        }
    }
    Ok(certificates)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let size = fs::metadata(path).map_err(|error| Error::io(path, &error))?.len();
    if size > MAX_PEM {
        return Err(unusable(path, "is too large for a certificate file"));
    }
    fs::read(path).map_err(|error| Error::io(path, &error))
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Tls, format!("{} {why}", path.display()))
}
