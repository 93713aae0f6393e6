//! Logging in: basic authentication and tokens (distribution's token and OAuth2 specifications).

use std::sync::PoisonError;

use serde::Deserialize;

use super::challenge::{self, Challenge};
use super::credentials::Login;
use super::{Endpoint, RegistryClient, message};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Request, Response};
use crate::reference::DEFAULT_REGISTRY;

const MAX_TOKEN_ANSWER: u64 = 1 << 20;
const CLIENT_ID: &str = "yagura";

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

impl RegistryClient<'_> {
    /// Sends a request, logging in where the registry asks for it.
    pub(super) fn ask(&self, endpoint: &Endpoint, request: &Request) -> Result<Response> {
        let key = (endpoint.root.clone(), endpoint.repository.clone());
        let known = self.authorizations.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let response = self.http.send(&request.clone().authorization(known))?;
        if response.status != 401 {
            return Ok(response);
        }
        // None yet, or one that has expired.
        let challenges: Vec<Challenge> =
            response.headers("www-authenticate").flat_map(challenge::parse).collect();
        let says = message(response);
        let login = self.login(endpoint)?;
        let authorization = match self.answer(endpoint, &challenges, login.as_ref())? {
            Some(authorization) => authorization,
            None => return Err(self.refused_login(endpoint, &says)),
        };
        let response = self.http.send(&request.clone().authorization(Some(authorization.clone())))?;
        if response.status == 401 {
            return Err(self.refused_login(endpoint, &message(response)));
        }
        self.authorizations.lock().unwrap_or_else(PoisonError::into_inner).insert(key, authorization);
        Ok(response)
    }

    fn login(&self, endpoint: &Endpoint) -> Result<Option<Login>> {
        match &self.settings.login {
            Some(login) if !endpoint.is_mirror => Ok(Some(login.clone())),
            _ => self.settings.credentials.login(&endpoint.registry, &endpoint.repository),
        }
    }

    /// The value of `Authorization` that a challenge asks for; tokens are preferred to passwords.
    fn answer(
        &self,
        endpoint: &Endpoint,
        challenges: &[Challenge],
        login: Option<&Login>,
    ) -> Result<Option<String>> {
        if let Some(Login::RegistryToken(token)) = login {
            return Ok(Some(format!("Bearer {token}")));
        }
        for challenge in challenges {
            if let Challenge::Bearer { realm, service, scope } = challenge {
                return self.token(endpoint, realm, service, scope, login).map(Some);
            }
        }
        let basic = challenges.contains(&Challenge::Basic);
        Ok(login.filter(|_| basic).and_then(Login::basic))
    }

    fn token(
        &self,
        endpoint: &Endpoint,
        realm: &str,
        service: &str,
        scope: &str,
        login: Option<&Login>,
    ) -> Result<String> {
        let default_scope = format!("repository:{}:pull", endpoint.repository);
        let scope = if scope.is_empty() { &default_scope } else { scope };
        let mut query = vec![("scope", scope)];
        if !service.is_empty() {
            query.push(("service", service));
        }
        let request = match login {
            Some(Login::IdentityToken(token)) => {
                query.extend([
                    ("grant_type", "refresh_token"),
                    ("client_id", CLIENT_ID),
                    ("refresh_token", token.as_str()),
                ]);
                Request::get(realm).form(encode(&query))
            }
            login => {
                if let Some(user) = login.and_then(Login::user) {
                    query.push(("account", user));
                }
                let separator = if realm.contains('?') { '&' } else { '?' };
                Request::get(format!("{realm}{separator}{}", encode(&query)))
                    .authorization(login.and_then(Login::basic))
            }
        };
        let response = self.http.send(&request)?;
        if response.status != 200 {
            return Err(match response.status {
                400 | 401 | 403 => self.refused_login(endpoint, &message(response)),
                status => Error::new(
                    ErrorKind::Unreachable,
                    format!("the token service of {} answered with status {status}", endpoint.registry),
                ),
            });
        }
        let malformed =
            || Error::new(ErrorKind::Malformed, format!("{} gave no usable token", endpoint.registry));
        let token: Token =
            serde_json::from_slice(&response.bytes(MAX_TOKEN_ANSWER)?).map_err(|_| malformed())?;
        let text = if token.token.is_empty() { token.access_token } else { token.token };
        if text.is_empty() || text.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(malformed());
        }
        Ok(format!("Bearer {text}"))
    }

    /// Registries answer alike for what is private and for what does not exist.
    pub(super) fn refused_login(&self, endpoint: &Endpoint, says: &str) -> Error {
        let host = &endpoint.registry;
        let said = if says.is_empty() { String::new() } else { format!(" ({says})") };
        let known = self.login(endpoint).ok().flatten();
        let who = if host == DEFAULT_REGISTRY { String::new() } else { format!(" {host}") };
        match known {
            Some(_) => Error::new(ErrorKind::Unauthorized, format!("{host} refused the stored login{said}"))
                .advise(format!(
                    "check the image's name and log in again: docker login{who}, or podman login {host}"
                )),
            None => Error::new(ErrorKind::Unauthorized, format!("{host} demands a login{said}")).advise(
                format!("check the image's name and log in: docker login{who}, or podman login {host}"),
            ),
        }
    }
}

/// `application/x-www-form-urlencoded`, which also serves in a query.
fn encode(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(key);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn queries_are_percent_encoded() {
        let pairs = [("scope", "repository:a/b:pull"), ("service", "é &=")];
        assert_eq!(encode(&pairs), "scope=repository%3Aa%2Fb%3Apull&service=%C3%A9%20%26%3D");
    }
}
