//! Proxies from the environment: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` (either case), read as curl and
//! Go read them. The loopback is never proxied.

use std::net::IpAddr;

use http::Uri;
use ureq::Proxy;

use super::is_loopback;
use crate::error::{Error, ErrorKind, Result};

pub(super) fn from_environment(url: &Uri) -> Result<Option<Proxy>> {
    let variable = |name: &str| {
        [name.to_owned(), name.to_ascii_lowercase()]
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.trim().is_empty())
    };
    let Some(host) = url.host() else { return Ok(None) };
    let exceptions = variable("NO_PROXY").unwrap_or_default();
    if is_loopback(host) || is_exempt(host, url.port_u16(), &exceptions) {
        return Ok(None);
    }
    let name = if url.scheme_str() == Some("http") { "HTTP_PROXY" } else { "HTTPS_PROXY" };
    let Some(address) = variable(name).or_else(|| variable("ALL_PROXY")) else {
        return Ok(None);
    };
    match Proxy::new(address.trim()) {
        Ok(proxy) => Ok(Some(proxy)),
        // The address may hold a password: it is not repeated.
        Err(_) => Err(Error::new(ErrorKind::InvalidReference, format!("{name} is not a proxy address"))
            .advise("expected http://host:port")),
    }
}

/// Whether a `NO_PROXY` list names the host: `*`, a domain (its subdomains too), an address, or a network `a/n`,
/// each with an optional port.
fn is_exempt(host: &str, port: Option<u16>, list: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        let entry = entry.to_ascii_lowercase();
        if let Some((network, bits)) = entry.split_once('/')
            && let (Ok(network), Ok(bits), Some(address)) = (network.parse(), bits.parse(), address)
        {
            return in_network(address, network, bits);
        }
        let (name, wanted_port) = match entry.rsplit_once(':') {
            Some((name, digits)) if !name.contains(':') || name.ends_with(']') => {
                (name.to_owned(), digits.parse::<u16>().ok())
            }
            _ => (entry, None),
        };
        if wanted_port.is_some() && wanted_port != port {
            return false;
        }
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let domain = name.trim_start_matches("*.").trim_start_matches('.');
        host == domain || (address.is_none() && host.ends_with(&format!(".{domain}")))
    })
}

fn in_network(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) if bits <= 32 => {
            let shift = 32 - bits;
            u32::from(address).checked_shr(shift).unwrap_or(0)
                == u32::from(network).checked_shr(shift).unwrap_or(0)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            let shift = 128 - bits;
            u128::from(address).checked_shr(shift).unwrap_or(0)
                == u128::from(network).checked_shr(shift).unwrap_or(0)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_exempt;

    #[test]
    fn exceptions_are_read_as_curl_and_go_read_them() {
        let list = "internal.example, .corp.example,10.0.0.0/8 [::1] fd00::/8,registry.example:5000";
        for (host, port, expected) in [
            ("internal.example", None, true),
            ("a.internal.example", None, true),
            ("notinternal.example", None, false),
            ("git.corp.example", None, true),
            ("10.9.8.7", Some(443), true),
            ("11.0.0.1", None, false),
            ("[::1]", None, true),
            ("[fd00::7]", None, true),
            ("registry.example", Some(5000), true),
            ("registry.example", Some(443), false),
        ] {
            assert_eq!(is_exempt(host, port, list), expected, "{host}");
        }
        assert!(is_exempt("anything.example", None, "*"));
        assert!(!is_exempt("anything.example", None, ""));
        assert!(is_exempt("9.9.9.9", None, "0.0.0.0/0"));
    }
}
