//! Messages posted to a webhook, signed when there is a key.
//!
//! Two signatures by the same key, so that most receivers know one of them: `X-Hub-Signature-256: sha256=<hex>` over the
//! body, and those of Standard Webhooks (<https://www.standardwebhooks.com>), `webhook-signature: v1,<base64>` over
//! `<webhook-id>.<webhook-timestamp>.<body>`, which also tell old messages from new ones.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::http::{HttpClient, HttpSettings, Request, origin, parse_url};

/// Answers are read this far.
const MAX_ANSWER: u64 = 64 << 10;

/// A key of any length. It is shown nowhere.
#[derive(Clone)]
pub struct WebhookKey(Vec<u8>);

impl WebhookKey {
    /// The bytes themselves, or what Standard Webhooks calls a secret: `whsec_` and base64.
    pub fn new(key: &[u8]) -> Self {
        let decoded = key.strip_prefix(b"whsec_").and_then(|text| STANDARD.decode(text).ok());
        Self(decoded.unwrap_or_else(|| key.to_vec()))
    }

    fn sign(&self, parts: &[&[u8]]) -> Vec<u8> {
        // HMAC takes keys of every length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return Vec::new() };
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }
}

impl std::fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookKey(…)")
    }
}

/// Posts messages to one address.
#[derive(Debug)]
pub struct WebhookSender {
    http: HttpClient,
    url: String,
    key: Option<WebhookKey>,
}

impl WebhookSender {
    pub fn new(settings: HttpSettings, url: &str, key: Option<WebhookKey>) -> Result<Self> {
        parse_url(url)?;
        Ok(Self { http: HttpClient::new(settings), url: url.to_owned(), key })
    }

    /// Posts, with retries where they can help; any answer but 2xx is an error.
    pub fn send(&self, content_type: &'static str, body: Vec<u8>) -> Result<()> {
        let mut request = Request::get(&self.url);
        if let Some(key) = &self.key {
            let id: String =
                Sha256::digest(&body).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            let id = format!("msg_{id}");
            let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            let time = seconds.to_string();
            let signed = key.sign(&[id.as_bytes(), b".", time.as_bytes(), b".", &body]);
            let plain: String = key.sign(&[&body]).iter().map(|byte| format!("{byte:02x}")).collect();
            request = request
                .header("webhook-id", id)
                .header("webhook-timestamp", time)
                .header("webhook-signature", format!("v1,{}", STANDARD.encode(signed)))
                .header("x-hub-signature-256", format!("sha256={plain}"));
        }
        let response = self.http.send(&request.body(content_type, body))?;
        let status = response.status;
        // Read to the end, so that the connection can be used again.
        let _ = response.bytes(MAX_ANSWER);
        if (200..300).contains(&status) {
            return Ok(());
        }
        let place = parse_url(&self.url).map(|url| origin(&url)).unwrap_or_default();
        Err(Error::new(ErrorKind::Refused, format!("{place} answers {status}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_standards() {
        // RFC 4231, test case 2.
        let hex: String = WebhookKey::new(b"Jefe")
            .sign(&[b"what do ya want ", b"for nothing?"])
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        // The example of the Standard Webhooks specification.
        let key = WebhookKey::new(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let signed = key.sign(&[b"msg_p5jXN8AQM9LWM0D4loKWxJek", b".", b"1614265330", b".", body]);
        assert_eq!(STANDARD.encode(signed), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(!format!("{key:?}").contains("Mf"));
    }
}
