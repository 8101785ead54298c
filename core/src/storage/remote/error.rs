//! What a store answered, as an error of ours: what failed, where, and what to do. Says nothing of credentials but which are meant.

use std::error::Error as _;

use super::Bucket;
use crate::error::{Error, ErrorKind};

/// Of what a store says of its own accord so much is shown.
const SHOWN: usize = 300;

/// Whether the store says that the bucket itself is missing, and not what is asked for in it.
pub(super) fn is_no_bucket(e: &object_store::Error) -> bool {
    let text = chain(e);
    ["NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"].iter().any(|word| text.contains(word))
}

impl Bucket {
    /// An error of doing `action` with the object `key`.
    pub(super) fn failure(&self, action: &str, key: &str, e: &object_store::Error) -> Error {
        let place = self.shown(key);
        let text = chain(e);
        let (kind, why) = if is_no_bucket(e) {
            (
                ErrorKind::NotFound,
                format!("there is no bucket '{}' in the store; make it first, or mend the name", self.name()),
            )
        } else if let object_store::Error::NotFound { .. } = e {
            return Error::not_found(format!("cannot {action} '{place}': there is no such object"));
        } else {
            (ErrorKind::Io, advice(&text, e).to_owned())
        };
        Error::new(kind, format!("cannot {action} '{place}': {why}")).caused_by(answer(&text))
    }
}

/// What is likely wrong, by the word that stores have for it.
fn advice(text: &str, e: &object_store::Error) -> &'static str {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["ExpiredToken", "TokenRefreshRequired"]) {
        "the credentials have expired; get new ones"
    } else if says(&["RequestTimeTooSkewed"]) {
        "the clock of this machine differs too much from that of the store; set it"
    } else if says(&["InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthenticationFailed", "invalid_grant"]) {
        "the store does not know the credentials, or the secret is not that of the key; look at the environment and the profile"
    } else if says(&["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint", "Redirect"]) {
        "the bucket is in another region or at another address; set AWS_REGION, or AWS_ENDPOINT_URL"
    } else if says(&[super::http::METADATA_HOST, "metadata.google"]) {
        "no credentials were found: neither in the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), nor in the profile, \
         nor from the machine; set AWS_SKIP_SIGNATURE=true for a public bucket"
    } else if matches!(e, object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. })
        || says(&["AccessDenied"])
    {
        "the store refuses it to these credentials"
    } else if says(&[
        "Connection refused",
        "host not found",
        "connection failed",
        "timeout: connect",
        "timeout: resolve",
    ]) {
        "nobody answers at the address of the store; look at AWS_ENDPOINT_URL and the network"
    } else if says(&["certificate", "tls", "rustls"]) {
        "no safe connection can be made; name the certificate of a private authority in AWS_CA_BUNDLE, or look at AWS_ENDPOINT_URL"
    } else {
        "the store did not do it"
    }
}

/// What the store said, in a few words.
fn answer(text: &str) -> String {
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once('<')?.0.to_owned())
    };
    match (element("Code"), element("Message")) {
        (Some(code), Some(message)) => shortened(&format!("{code}: {message}")),
        (Some(code), None) => shortened(&code),
        _ => shortened(text.rsplit_once(" - ").map_or(text, |(_, last)| last)),
    }
}

/// A text of a stranger in one line that is not too long.
pub(super) fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// The messages of an error and of what caused it.
fn chain(e: &object_store::Error) -> String {
    let mut text = e.to_string();
    let mut next = e.source();
    while let Some(e) = next {
        let more = e.to_string();
        if !text.contains(&more) {
            text.push_str(" - ");
            text.push_str(&more);
        }
        next = e.source();
    }
    text
}
