//! Transport errors in words that say what to do.

use std::io;

use crate::error::{Error, ErrorKind};

pub(super) fn explain(origin: &str, error: ureq::Error) -> Error {
    let unreachable = |why: String| Error::new(ErrorKind::Unreachable, format!("{origin}: {why}"));
    match error {
        ureq::Error::HostNotFound => Error::new(ErrorKind::UnknownHost, format!("{origin}: no such host"))
            .advise("check the name, the network and the proxy settings"),
        ureq::Error::Timeout(phase) => unreachable(format!("timed out ({phase})")),
        ureq::Error::Rustls(error) => explain_tls(origin, &error),
        ureq::Error::Tls(why) => Error::new(ErrorKind::Tls, format!("{origin}: TLS failed: {why}")),
        ureq::Error::Io(error) => explain_io(origin, &error),
        ureq::Error::ConnectProxyFailed(why) => unreachable(format!("the proxy refused: {why}")),
        ureq::Error::Protocol(error) => {
            Error::new(ErrorKind::Malformed, format!("{origin} does not speak HTTP: {error}"))
        }
        ureq::Error::LargeResponseHeader(..) => {
            Error::new(ErrorKind::TooLarge, format!("{origin}: the answer's headers are too large"))
        }
        other => unreachable(other.to_string()),
    }
}

fn explain_io(origin: &str, error: &io::Error) -> Error {
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return explain_tls(origin, tls);
    }
    // The resolver's errors have no kind of their own.
    if error.to_string().contains("lookup address information") {
        return explain(origin, ureq::Error::HostNotFound);
    }
    let why = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "the connection was reset".to_owned(),
        io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
        io::ErrorKind::TimedOut => "timed out".to_owned(),
        _ => error.to_string(),
    };
    Error::new(ErrorKind::Unreachable, format!("{origin}: {why}"))
}

fn explain_tls(origin: &str, error: &rustls::Error) -> Error {
    use rustls::CertificateError as Certificate;
    let failed = |why: String| Error::new(ErrorKind::Tls, format!("{origin}: {why}"));
    match error {
        rustls::Error::InvalidCertificate(Certificate::UnknownIssuer) => {
            failed("its certificate is signed by an unknown authority".into())
                .advise("give the authority's certificate with --ca-cert FILE")
        }
        rustls::Error::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => failed("its certificate is for another name".into()),
        rustls::Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            failed("its certificate has expired".into())
        }
        rustls::Error::InvalidCertificate(why) if format!("{why:?}").contains("CaUsedAsEndEntity") => {
            failed("it serves an authority's certificate as its own".into())
                .advise("give it a certificate signed by that authority, or use --insecure")
        }
        rustls::Error::InvalidCertificate(why) => failed(format!("its certificate is not accepted: {why:?}")),
        rustls::Error::InvalidMessage(_) => {
            Error::new(ErrorKind::Malformed, format!("{origin}: it does not speak TLS"))
                .advise("--insecure allows plain HTTP")
        }
        rustls::Error::General(why) if why.contains("CA certificates") => {
            failed("this machine has no trusted certificates".into())
                .advise("install ca-certificates or give --ca-cert FILE")
        }
        rustls::Error::AlertReceived(alert) => failed(format!("it refused the TLS handshake: {alert:?}")),
        other => failed(format!("TLS failed: {other}")),
    }
}
