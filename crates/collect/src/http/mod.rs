//! One HTTP client for registries and feeds: TLS, proxies, redirects, retries. It must not know what it fetches.
//!
//! Redirects are followed here and not in the library, so that `Authorization` never reaches another origin and
//! nothing falls from HTTPS to plain HTTP. Plain HTTP is spoken only to the loopback or where the settings allow it.

mod failure;
mod proxy;
mod retry;
mod tls;

use std::collections::HashMap;
use std::io::Read;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use http::{HeaderMap, Uri};
use ureq::Agent;

use crate::error::{Error, ErrorKind, Result};

pub use retry::RetryPolicy;

const MAX_REDIRECTS: usize = 8;
const MAX_HEADER_BYTES: usize = 64 << 10;
const USER_AGENT: &str = concat!("yagura/", env!("CARGO_PKG_VERSION"));

/// How the outside world is reached.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// PEM files whose certificates are trusted besides the system's.
    pub ca_files: Vec<PathBuf>,
    /// Directories laid out as Docker's `certs.d`: `<host[:port]>/{*.crt, *.cert, *.key}`.
    pub certificate_directories: Vec<PathBuf>,
    /// Plain HTTP and unverified certificates are accepted from every host.
    pub insecure: bool,
    /// Time allowed for resolving, connecting and the TLS handshake.
    pub connect_timeout: Duration,
    /// Longest silence of a peer.
    pub read_timeout: Duration,
    pub retry: RetryPolicy,
}

impl Default for HttpSettings {
    fn default() -> Self {
        let mut certificate_directories =
            vec![PathBuf::from("/etc/docker/certs.d"), PathBuf::from("/etc/containers/certs.d")];
        if let Some(home) = std::env::home_dir() {
            certificate_directories.push(home.join(".config/containers/certs.d"));
            certificate_directories.push(home.join(".config/docker/certs.d"));
        }
        Self {
            ca_files: Vec::new(),
            certificate_directories,
            insecure: false,
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(60),
            retry: RetryPolicy::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
}

/// A request; `Authorization` is kept apart so that redirects can drop it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: Method,
    url: String,
    headers: Vec<(&'static str, String)>,
    authorization: Option<String>,
    /// A body, with its type, turns the request into a POST.
    body: Option<(&'static str, Vec<u8>)>,
}

impl Request {
    pub(crate) fn get(url: impl Into<String>) -> Self {
        Self { method: Method::Get, url: url.into(), headers: Vec::new(), authorization: None, body: None }
    }

    pub(crate) fn head(url: impl Into<String>) -> Self {
        Self { method: Method::Head, ..Self::get(url) }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn authorization(mut self, value: Option<String>) -> Self {
        self.authorization = value;
        self
    }

    /// A login's `application/x-www-form-urlencoded` body.
    pub(crate) fn form(self, body: String) -> Self {
        self.body("application/x-www-form-urlencoded", body.into_bytes())
    }

    pub(crate) fn body(mut self, content_type: &'static str, body: Vec<u8>) -> Self {
        self.body = Some((content_type, body));
        self
    }
}

/// An answer with its body still to be read.
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: HeaderMap,
    body: ureq::Body,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// The body as a stream; its errors are the transport's.
    pub(crate) fn into_reader(self) -> impl Read + Send + 'static {
        self.body.into_with_config().limit(u64::MAX).reader()
    }

    /// The whole body, refused when it is longer than `bound` bytes.
    pub(crate) fn bytes(self, bound: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.into_reader()
            .take(bound.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| Error::new(ErrorKind::Unreachable, format!("the answer broke off: {error}")))?;
        if bytes.len() as u64 > bound {
            return Err(Error::new(ErrorKind::TooLarge, format!("the answer is over {bound} bytes")));
        }
        Ok(bytes)
    }
}

/// The client. Connections are pooled per origin; it is shared between threads.
#[derive(Debug)]
pub struct HttpClient {
    settings: HttpSettings,
    agents: Mutex<HashMap<String, Agent>>,
}

impl HttpClient {
    pub fn new(settings: HttpSettings) -> Self {
        Self { settings, agents: Mutex::new(HashMap::new()) }
    }

    pub fn settings(&self) -> &HttpSettings {
        &self.settings
    }

    /// Sends, follows redirects, and tries again where that can help. Any status is an answer, not an error; only
    /// `429` and `5xx` that outlast the retries come back as they are.
    pub(crate) fn send(&self, request: &Request) -> Result<Response> {
        let mut attempt = 0;
        loop {
            let outcome = self.follow(request);
            let Some(wait) = self.settings.retry.wait_before_next(attempt, &outcome) else {
                return outcome;
            };
            std::thread::sleep(wait);
            attempt += 1;
        }
    }

    /// Sends once and follows redirects; for probes, where a failure is an answer.
    pub(crate) fn try_once(&self, request: &Request) -> Result<Response> {
        self.follow(request)
    }

    fn follow(&self, request: &Request) -> Result<Response> {
        let mut url = parse_url(&request.url)?;
        let mut authorization = request.authorization.as_deref();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.exchange(request, &url, authorization)?;
            let location = match response.status {
                301 | 302 | 303 | 307 | 308 => response.header("location"),
                _ => None,
            };
            let Some(location) = location else {
                return Ok(response);
            };
            if request.body.is_some() {
                return Err(Error::new(
                    ErrorKind::Refused,
                    format!("{} redirects what is posted to it; it was not sent on", origin(&url)),
                ));
            }
            let next = resolve(&url, location)?;
            if url.scheme_str() == Some("https")
                && next.scheme_str() != Some("https")
                && !self.settings.insecure
            {
                return Err(Error::new(
                    ErrorKind::Refused,
                    format!("{} redirects from HTTPS to plain HTTP", origin(&url)),
                )
                .advise("--insecure would follow it"));
            }
            if origin(&next) != origin(&url) {
                authorization = None;
            }
            url = next;
        }
        Err(Error::new(ErrorKind::Unreachable, format!("{} redirects in a circle", origin(&url))))
    }

    fn exchange(&self, request: &Request, url: &Uri, authorization: Option<&str>) -> Result<Response> {
        if url.scheme_str() == Some("http") && !self.settings.insecure && !url.host().is_some_and(is_loopback)
        {
            return Err(Error::new(ErrorKind::Refused, format!("{} is plain HTTP", origin(url)))
                .advise("use https, or allow it with --insecure"));
        }
        let agent = self.agent(url)?;
        let mut builder = http::Request::builder().uri(url.clone()).header("user-agent", USER_AGENT);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(authorization) = authorization {
            builder = builder.header("authorization", authorization);
        }
        let malformed =
            |error: http::Error| Error::new(ErrorKind::InvalidReference, format!("bad request: {error}"));
        let outcome = match (&request.body, request.method) {
            (Some((content_type, body)), _) => {
                let builder = builder.method("POST").header("content-type", *content_type);
                agent.run(builder.body(body.as_slice()).map_err(malformed)?)
            }
            (None, Method::Get) => agent.run(builder.method("GET").body(()).map_err(malformed)?),
            (None, Method::Head) => agent.run(builder.method("HEAD").body(()).map_err(malformed)?),
        };
        let response = outcome.map_err(|error| failure::explain(&origin(url), error))?;
        let (parts, body) = response.into_parts();
        Ok(Response { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    fn agent(&self, url: &Uri) -> Result<Agent> {
        let origin = origin(url);
        let mut agents = self.agents.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(agent) = agents.get(&origin) {
            return Ok(agent.clone());
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_response_header_size(MAX_HEADER_BYTES)
            .proxy(proxy::from_environment(url)?)
            .tls_config(tls::config(&self.settings, &authority(url))?)
            .timeout_connect(Some(self.settings.connect_timeout))
            .timeout_recv_response(Some(self.settings.read_timeout))
            .timeout_per_read(Some(self.settings.read_timeout))
            .build()
            .new_agent();
        agents.insert(origin, agent.clone());
        Ok(agent)
    }
}

/// `host[:port]` without user information.
fn authority(url: &Uri) -> String {
    match (url.host(), url.port_u16()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

/// `scheme://host[:port]`: what may share connections and credentials.
pub(crate) fn origin(url: &Uri) -> String {
    format!("{}://{}", url.scheme_str().unwrap_or("https"), authority(url).to_ascii_lowercase())
}

pub(crate) fn parse_url(text: &str) -> Result<Uri> {
    let invalid = |why: &str| {
        Error::new(
            ErrorKind::InvalidReference,
            format!("`{}` is not an address: {why}", without_user_information(text)),
        )
    };
    let text = text.split('#').next().unwrap_or_default();
    let url: Uri = text.parse().map_err(|_| invalid("malformed"))?;
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err(invalid("expected http:// or https://"));
    }
    if url.host().is_none_or(str::is_empty) {
        return Err(invalid("it has no host"));
    }
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(invalid("credentials in addresses are not read"));
    }
    Ok(url)
}

/// An address as it may be shown: `user:password@` taken out.
pub(crate) fn without_user_information(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => text.to_owned(),
    }
}

/// A `Location` against the address it came from (RFC 3986 section 5.2, as far as servers use it).
fn resolve(base: &Uri, location: &str) -> Result<Uri> {
    if location.contains("://") {
        return parse_url(location);
    }
    if let Some(rest) = location.strip_prefix("//") {
        return parse_url(&format!("{}://{rest}", base.scheme_str().unwrap_or("https")));
    }
    if location.starts_with('/') {
        return parse_url(&format!("{}{location}", origin(base)));
    }
    let directory = base.path().rsplit_once('/').map_or("", |(directory, _)| directory);
    parse_url(&format!("{}{directory}/{location}", origin(base)))
}

/// `localhost` and its subdomains, 127.0.0.0/8, ::1.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => {
            let name = bare.to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests;
