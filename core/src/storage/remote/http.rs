//! The HTTP client below the stores: each request blocks the thread that makes it, so that there is no thread and no event loop
//! that could outlive a query or be missing after a fork. Connections are kept for the next request of the same process.

use std::{
    cell::Cell,
    error, fmt, io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::BodyExt;
use object_store::{
    ClientOptions,
    client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService},
};
use ureq::{
    Agent, Body, Proxy, Timeout,
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};

use crate::error::{Error, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A server that sends or takes nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(20);
/// Where a virtual machine asks for credentials: on any other machine nobody answers there, which must not cost long.
pub(super) const METADATA_HOST: &str = "169.254.169.254";
const METADATA_TIMEOUT: Duration = Duration::from_secs(1);
/// No refusal is longer.
const MAX_REFUSAL_BYTES: u64 = 1 << 20;
/// Connections kept open to one host.
const IDLE_CONNECTIONS: usize = 32;

thread_local! {
    /// Whether a request of this thread was answered in a way that leaves open whether it was carried out.
    static DOUBT: Cell<bool> = const { Cell::new(false) };
    /// No longer answer than this is taken.
    static LIMIT: Cell<u64> = const { Cell::new(u64::MAX) };
    /// Whether one was longer.
    static EXCEEDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `requests`, of which no answer may have more than `limit` bytes, and says whether one had.
pub(super) fn limited<T>(limit: u64, requests: impl FnOnce() -> T) -> (T, bool) {
    LIMIT.set(limit);
    EXCEEDED.set(false);
    let result = requests();
    LIMIT.set(u64::MAX);
    (result, EXCEEDED.get())
}

/// Runs `requests` and says whether one of them may have been carried out without its answer saying so.
pub(super) fn doubting<T>(requests: impl FnOnce() -> T) -> (T, bool) {
    DOUBT.set(false);
    let result = requests();
    (result, DOUBT.get())
}

/// Makes the client.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    /// Whether addresses may be those of plain HTTP.
    pub(super) allow_http: bool,
    /// The certificates to trust besides the usual ones', as PEM.
    pub(super) certificates: Option<Bytes>,
}

impl Connector {
    /// The certificates of the file that the environment names.
    ///
    /// # Errors
    /// `InvalidArgument` naming the file when it cannot be read.
    pub(super) fn from_environment(allow_http: bool) -> Result<Self> {
        let named = ["AWS_CA_BUNDLE", "SSL_CERT_FILE"].iter().find_map(|name| Some((*name, std::env::var_os(name)?)));
        let certificates = match named.filter(|(_, path)| !path.is_empty()) {
            None => None,
            Some((name, path)) => Some(Bytes::from(crate::storage::local::read_whole(path.as_ref()).map_err(|e| {
                Error::invalid_argument(format!("{name} names certificates that cannot be read")).caused_by(e)
            })?)),
        };
        Ok(Self { allow_http, certificates })
    }

    /// The client of stores, which are asked at their own address alone.
    fn agent(&self) -> Agent {
        self.agent_following(0)
    }

    /// The client of files on the web.
    pub(super) fn web_agent(&self) -> Agent {
        self.agent_following(5)
    }

    fn agent_following(&self, redirects: u32) -> Agent {
        let certificates = self.certificates.as_deref().map(|pem| {
            let found = parse_pem(pem).filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            });
            found.collect::<Vec<_>>()
        });
        let roots = certificates.map_or(RootCerts::WebPki, |found| RootCerts::new_with_certs(&found));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(redirects)
            .https_only(!self.allow_http)
            .user_agent(concat!("tstable/", env!("CARGO_PKG_VERSION")))
            .proxy(Proxy::try_from_env())
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .max_idle_connections(IDLE_CONNECTIONS * 2)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .tls_config(TlsConfig::builder().root_certs(roots).build());
        config.build().new_agent()
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service { connector: self.clone(), agents: Mutex::default() }))
    }
}

/// The agents of this process and of those that it was forked from, whose connections it must neither use nor close.
struct Service {
    connector: Connector,
    agents: Mutex<Vec<(u32, Agent)>>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

impl Service {
    fn agent(&self) -> Agent {
        let process = std::process::id();
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, agent)) = agents.iter().find(|(of, _)| *of == process) {
            return agent.clone();
        }
        let agent = self.connector.agent();
        agents.push((process, agent.clone()));
        agent
    }

    fn send(&self, request: Request<Bytes>) -> std::result::Result<http::Response<Bytes>, ureq::Error> {
        let agent = self.agent();
        let metadata = request.uri().host() == Some(METADATA_HOST);
        let (parts, body) = request.into_parts();
        let connect = if metadata { METADATA_TIMEOUT } else { CONNECT_TIMEOUT };
        let has_body = matches!(parts.method, Method::PUT | Method::POST | Method::PATCH);
        let response = if has_body {
            agent.run(
                agent
                    .configure_request(Request::from_parts(parts, body.as_ref()))
                    .timeout_connect(Some(connect))
                    .build(),
            )
        } else {
            agent.run(agent.configure_request(Request::from_parts(parts, ())).timeout_connect(Some(connect)).build())
        };
        let (parts, body) = response?.into_parts();
        // What a refusal says may be longer than what was asked for.
        let limit = if parts.status.is_success() { LIMIT.get() } else { MAX_REFUSAL_BYTES };
        Ok(http::Response::from_parts(parts, whole(body, limit)?))
    }
}

fn whole(mut body: Body, limit: u64) -> std::result::Result<Bytes, ureq::Error> {
    let read = body.with_config().limit(limit).read_to_vec();
    if matches!(read, Err(ureq::Error::BodyExceedsLimit(_))) {
        EXCEEDED.set(true);
    }
    Ok(read?.into())
}

#[async_trait::async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> std::result::Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let metadata = parts.uri.host() == Some(METADATA_HOST);
        let body = body.collect().await?.to_bytes();
        match self.send(Request::from_parts(parts, body)) {
            Ok(response) => {
                let status = response.status();
                if status.is_server_error() || status == http::StatusCode::CONFLICT {
                    DOUBT.set(true);
                }
                Ok(response.map(Into::into))
            }
            Err(e) => {
                // Nobody retries what has no answer because nobody is there.
                let kind = if metadata { HttpErrorKind::Unknown } else { kind_of(&e) };
                if kind != HttpErrorKind::Connect {
                    DOUBT.set(true);
                }
                Err(HttpError::new(kind, Failure(e.to_string())))
            }
        }
    }
}

fn kind_of(e: &ureq::Error) -> HttpErrorKind {
    match e {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve)
        | ureq::Error::ConnectionFailed
        | ureq::Error::HostNotFound => HttpErrorKind::Connect,
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::Io(e) if e.kind() == io::ErrorKind::ConnectionRefused => HttpErrorKind::Connect,
        ureq::Error::Io(e) if e.kind() == io::ErrorKind::TimedOut => HttpErrorKind::Timeout,
        ureq::Error::Io(_) | ureq::Error::Protocol(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    }
}

/// What went wrong, in words: the client's own errors may hold the request.
#[derive(Debug)]
struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for Failure {}
