//! What speaks of an image: SBOMs, VEX statements and signatures attached to its digest.
//!
//! The referrers API of the distribution specification 1.1, and its tag scheme (`sha256-<hex>`) for registries that
//! do not have the API.

use yagura_formats::image::{Descriptor, Index, MAX_MANIFEST_BYTES, parse_index, parse_manifest};
use yagura_model::Digest;

use super::{Endpoint, RegistryClient};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Request, parse_url};
use crate::image::not_an_image;
use crate::reference::ImageReference;

/// Most pages of a listing followed.
const MAX_PAGES: usize = 16;
/// Most referrers listed.
const MAX_REFERRERS: usize = 4096;

/// One artifact that refers to an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub artifact_type: String,
    pub descriptor: Descriptor,
}

/// A part of an artifact's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    pub media_type: String,
    pub bytes: Vec<u8>,
}

impl RegistryClient<'_> {
    /// What refers to `subject` in the repository of `reference`; none is not an error. An artifact type narrows the
    /// listing.
    pub fn referrers(
        &self,
        reference: &ImageReference,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Attachment>> {
        let (_, found) = self
            .at_first(reference, |endpoint| match self.referrers_api(endpoint, subject, artifact_type)? {
                Some(found) => Ok(found),
                None => self.referrers_tag(endpoint, subject),
            })
            .map_err(|error| error.within(reference))?;
        let mut attachments: Vec<Attachment> = found
            .into_iter()
            .map(|descriptor| Attachment { artifact_type: descriptor.artifact_type.clone(), descriptor })
            // Servers may leave the filter unused.
            .filter(|attachment| artifact_type.is_none_or(|wanted| attachment.artifact_type == wanted))
            .collect();
        attachments.sort_by(|a, b| a.descriptor.digest.cmp(&b.descriptor.digest));
        attachments.dedup();
        Ok(attachments)
    }

    /// The content of an attachment: the layers of its manifest, verified, each within `bound` bytes.
    pub fn artifact(
        &self,
        reference: &ImageReference,
        attachment: &Attachment,
        bound: u64,
    ) -> Result<Vec<Artifact>> {
        let fetch = |endpoint: &Endpoint| {
            let bytes = self.manifest_by_digest(endpoint, &attachment.descriptor.digest)?;
            let manifest = parse_manifest(&bytes).map_err(not_an_image)?;
            let read = |layer: &Descriptor| {
                let bytes = self.small_blob(endpoint, layer, bound)?;
                Ok(Artifact { media_type: layer.media_type.clone(), bytes })
            };
            manifest.layers.iter().map(read).collect::<Result<Vec<_>>>()
        };
        let (_, content) = self.at_first(reference, fetch).map_err(|error| error.within(reference))?;
        Ok(content)
    }

    /// `None` when the registry does not have the API.
    fn referrers_api(
        &self,
        endpoint: &Endpoint,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Option<Vec<Descriptor>>> {
        let mut url = endpoint.url(&format!("referrers/{subject}"));
        if let Some(kind) = artifact_type {
            url.push_str(&format!("?artifactType={}", kind.replace('+', "%2B")));
        }
        let mut found = Vec::new();
        for page in 0..MAX_PAGES {
            let response = self.ask(endpoint, &Request::get(&url).header("accept", INDEX_TYPE))?;
            let is_index = response.header("content-type").is_some_and(|kind| kind.starts_with(INDEX_TYPE));
            if response.status != 200 || !is_index {
                if page == 0 && matches!(response.status, 200 | 400 | 404 | 405 | 501) {
                    return Ok(None);
                }
                return Err(Error::new(
                    ErrorKind::Unreachable,
                    format!("{} answered with status {} for referrers", endpoint.root, response.status),
                ));
            }
            let next = response.header("link").and_then(next_link).map(str::to_owned);
            found.extend(index(response.bytes(MAX_MANIFEST_BYTES as u64)?)?);
            if found.len() > MAX_REFERRERS {
                return Err(Error::new(ErrorKind::TooLarge, format!("over {MAX_REFERRERS} referrers")));
            }
            let Some(next) = next else { break };
            // Pages stay on the same server; another would get our login.
            let next = if next.starts_with('/') { format!("{}{next}", endpoint.root) } else { next };
            if crate::http::origin(&parse_url(&next)?) != endpoint.root.to_ascii_lowercase() {
                break;
            }
            url = next;
        }
        Ok(Some(found))
    }

    fn referrers_tag(&self, endpoint: &Endpoint, subject: &Digest) -> Result<Vec<Descriptor>> {
        let tag = format!("{}-{}", subject.algorithm().name(), subject.hex());
        let url = endpoint.url(&format!("manifests/{tag}"));
        let response = self.ask(endpoint, &Request::get(url).header("accept", INDEX_TYPE))?;
        match response.status {
            200 => index(response.bytes(MAX_MANIFEST_BYTES as u64)?),
            404 => Ok(Vec::new()),
            status => Err(Error::new(
                ErrorKind::Unreachable,
                format!("{} answered with status {status} for referrers", endpoint.root),
            )),
        }
    }
}

const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";

fn index(bytes: Vec<u8>) -> Result<Vec<Descriptor>> {
    let Index { manifests, .. } = parse_index(&bytes).map_err(not_an_image)?;
    Ok(manifests)
}

/// The address in `Link: <…>; rel="next"` (RFC 8288).
fn next_link(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            parameter
                .trim()
                .strip_prefix("rel=")
                .is_some_and(|relation| relation.trim_matches('"').eq_ignore_ascii_case("next"))
        });
        is_next.then_some(address)
    })
}
