//! The addresses of stores, `s3://bucket/prefix` and the like, and the clients that they stand for. Where credentials come from is
//! decided here: the environment first, then the profile, then what the machine is given. A secret is never printed.

use std::{env, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ObjectStore, RetryConfig, aws::AmazonS3Builder, azure::MicrosoftAzureBuilder,
    gcp::GoogleCloudStorageBuilder, path::Path,
};

use super::{http::Connector, profile::Profile};
use crate::error::{Error, Result};

/// The kinds of stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Amazon S3 and everything that speaks it.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

/// An address taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) kind: Kind,
    scheme: &'static str,
    pub(super) bucket: String,
    /// Without slashes at its ends.
    pub(super) key: String,
}

/// The schemes of addresses that lead to a store.
pub const SCHEMES: [&str; 6] = ["s3", "s3a", "gs", "gcs", "az", "azure"];

/// Whether this is the address of an object store, by its scheme.
#[must_use]
pub fn is_address(address: &str) -> bool {
    split(address).is_some()
}

fn split(address: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = address.split_once("://")?;
    Some((SCHEMES.iter().find(|known| known.eq_ignore_ascii_case(scheme))?, rest))
}

impl Address {
    /// Takes an address apart.
    ///
    /// # Errors
    /// `InvalidArgument` saying what is wrong with it.
    pub(super) fn parse(address: &str) -> Result<Self> {
        let bad = |why: &str| Error::invalid_argument(format!("'{address}' {why}, as in 's3://bucket/prices'"));
        let (scheme, rest) = split(address).ok_or_else(|| bad("is not the address of an object store"))?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(bad("names no bucket; write it behind the two slashes"));
        }
        if bucket.contains(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.' | '_')) {
            return Err(bad(
                "names a bucket with characters that no bucket's name has; letters, digits, '-' and '.' are",
            ));
        }
        let key = key.trim_matches('/');
        Path::parse(key).map_err(|_| bad("has an empty part, '.', '..' or a control character in it"))?;
        let kind = match scheme {
            "gs" | "gcs" => Kind::Google,
            "az" | "azure" => Kind::Azure,
            _ => Kind::S3,
        };
        Ok(Self { kind, scheme, bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// That of its bucket alone.
    pub(super) fn of_bucket(&self) -> Self {
        Self { key: String::new(), ..self.clone() }
    }

    /// As it was written.
    pub(super) fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The client for the bucket.
    ///
    /// # Errors
    /// `InvalidArgument` naming the setting that is missing or wrong.
    pub(super) fn connect(&self) -> Result<Arc<dyn ObjectStore>> {
        match self.kind {
            Kind::S3 => self.s3(),
            Kind::Google => self.google(),
            Kind::Azure => self.azure(),
        }
    }

    fn s3(&self) -> Result<Arc<dyn ObjectStore>> {
        // What is in the environment is complete or not looked at: half of one identity and half of another sign nothing.
        let has_keys = set("AWS_ACCESS_KEY_ID").is_some() && set("AWS_SECRET_ACCESS_KEY").is_some();
        let profile = Profile::read()?;
        let endpoint = set("AWS_ENDPOINT_URL_S3")
            .or_else(|| set("AWS_ENDPOINT_URL"))
            .or_else(|| set("AWS_ENDPOINT"))
            .or_else(|| profile.get("endpoint_url").map(str::to_owned));
        let allow_http = flag("AWS_ALLOW_HTTP");
        if let Some(endpoint) = &endpoint {
            check_endpoint(endpoint, allow_http, "AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP")?;
        }
        let region = set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"));
        let region = region.or_else(|| profile.get("region").map(str::to_owned));
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(&self.bucket)
            .with_region(region.unwrap_or_else(|| "us-east-1".to_owned()))
            .with_allow_http(allow_http)
            .with_disable_bulk_delete(true)
            .with_retry(retries())
            .with_http_connector(Connector::from_environment(true)?);
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
        }
        if !has_keys
            && let (Some(key), Some(secret)) = (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key"))
        {
            builder = builder.with_access_key_id(key).with_secret_access_key(secret);
            if let Some(token) = profile.get("aws_session_token") {
                builder = builder.with_token(token);
            }
        }
        Ok(Arc::new(builder.build().map_err(|e| self.unusable(&e))?))
    }

    fn google(&self) -> Result<Arc<dyn ObjectStore>> {
        let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(&self.bucket).with_retry(retries());
        let connector = Connector::from_environment(flag("GOOGLE_ALLOW_HTTP"))?;
        Ok(Arc::new(builder.with_http_connector(connector).build().map_err(|e| self.unusable(&e))?))
    }

    fn azure(&self) -> Result<Arc<dyn ObjectStore>> {
        let emulator = flag("AZURE_STORAGE_USE_EMULATOR");
        let allow_http = emulator || flag("AZURE_ALLOW_HTTP");
        if let Some(endpoint) = set("AZURE_STORAGE_ENDPOINT").or_else(|| set("AZURE_ENDPOINT")) {
            check_endpoint(&endpoint, allow_http, "AZURE_STORAGE_ENDPOINT", "AZURE_ALLOW_HTTP")?;
        }
        let builder = MicrosoftAzureBuilder::from_env()
            .with_container_name(&self.bucket)
            .with_allow_http(allow_http)
            .with_retry(retries())
            .with_http_connector(Connector::from_environment(true)?);
        Ok(Arc::new(builder.build().map_err(|e| self.unusable(&e))?))
    }

    fn unusable(&self, e: &object_store::Error) -> Error {
        let names = match self.kind {
            Kind::S3 => "AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            Kind::Google => "GOOGLE_SERVICE_ACCOUNT or GOOGLE_APPLICATION_CREDENTIALS",
            Kind::Azure => "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
        };
        let why = super::error::shortened(&e.to_string());
        Error::invalid_argument(format!(
            "what the environment says of the store of '{}' cannot be used ({why}); look at {names}",
            self.bucket
        ))
    }
}

/// How often and how long a request is tried again: a store that is down fails a statement within seconds.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: 6,
        retry_timeout: Duration::from_secs(15),
    }
}

fn check_endpoint(endpoint: &str, allow_http: bool, name: &str, allow: &str) -> Result<()> {
    let scheme = endpoint.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("https") => Ok(()),
        Some("http") if allow_http => Ok(()),
        Some("http") => Err(Error::invalid_argument(format!(
            "{name} is '{endpoint}', whose traffic anybody on the way can read; use https, or set {allow}=true in the environment \
             when that is meant"
        ))),
        _ => Err(Error::invalid_argument(format!("{name} is '{endpoint}'; it must begin with https:// or http://"))),
    }
}

fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn flag(name: &str) -> bool {
    set(name).is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on"))
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
